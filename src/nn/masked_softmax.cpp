#include "tokensieve/nn/masked_softmax.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <limits>

#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;

/// Rows that one task of a parallel loop takes: some tens of microseconds.
constexpr int64_t kGrain = 64;

/// Bounds exp of a dropped key that is far above all kept ones: only the policy's gradient sees it.
constexpr double kMaxExponent = 60.0;

/// What is subtracted from each row of P. The official formula takes the maximum over all keys; the
/// exact one over those that count, the row itself and the kept ones, so that no row underflows.
torch::Tensor row_maximum(const torch::Tensor& logits, const torch::Tensor& policy, double eps) {
  if (eps > 0) return logits.amax(-1, true);
  const torch::Tensor dropped = (policy == 0).unsqueeze(1).unsqueeze(1);
  const torch::Tensor kept =
      logits.masked_fill(dropped, -std::numeric_limits<double>::infinity()).amax(-1);
  return torch::maximum(kept, logits.diagonal(0, -2, -1)).unsqueeze(-1);
}

/// Calls `row(index, sample, query)` for every row of P `[B, H, n, n]`.
template <typename Row>
void for_rows(int64_t batch, int64_t heads, int64_t n, Row row) {
  at::parallel_for(0, batch * heads * n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row(i, i / (heads * n), i % n);
  });
}

/// x = exp(P - max), then A and the reciprocal sums. The policy of the row itself counts as 1.
template <typename Value, typename Sum>
void forward_rows(const torch::Tensor& x, const torch::Tensor& policy, torch::Tensor& attention,
                  torch::Tensor& inverse, double eps) {
  const int64_t n = x.size(3);
  const Sum* const exps = x.const_data_ptr<Sum>();
  const Sum* const keep = policy.const_data_ptr<Sum>();
  Value* const out = attention.data_ptr<Value>();
  Sum* const inverses = inverse.data_ptr<Sum>();
  const Sum share = static_cast<Sum>(eps / static_cast<double>(n));
  for_rows(x.size(0), x.size(1), n, [&](int64_t row, int64_t sample, int64_t query) {
    const Sum* const e = exps + row * n;
    const Sum* const pi = keep + sample * n;
    Sum sum = static_cast<Sum>(eps) + e[query] * (1 - pi[query]);
    for (int64_t j = 0; j < n; ++j) sum += e[j] * pi[j];
    const Sum scale = 1 / sum;
    inverses[row] = scale;
    Value* const a = out + row * n;
    for (int64_t j = 0; j < n; ++j) a[j] = static_cast<Value>((e[j] * pi[j] + share) * scale);
    a[query] = static_cast<Value>((e[query] + share) * scale);
  });
}

/// dE = (dA - sum_k dA_k A_k) / sum, dP = dE e G, and dpi_j summed over heads and queries.
template <typename Value, typename Sum>
void backward_rows(const torch::Tensor& x, const torch::Tensor& policy,
                   const torch::Tensor& inverse, const torch::Tensor& gradient,
                   torch::Tensor& to_logits, torch::Tensor& to_policy, double eps) {
  const int64_t heads = x.size(1), n = x.size(3);
  const Sum share = static_cast<Sum>(eps / static_cast<double>(n));
  const Sum* const exps = x.const_data_ptr<Sum>();
  const Sum* const keep = policy.const_data_ptr<Sum>();
  const Sum* const inverses = inverse.const_data_ptr<Sum>();
  const Value* const gradients = gradient.const_data_ptr<Value>();
  Value* const logits_out = to_logits.data_ptr<Value>();
  Sum* const policy_out = to_policy.data_ptr<Sum>();
  // One task a sample: its policy gradient has one writer, in a fixed order.
  at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * heads * n; row < end * heads * n; ++row) {
      const int64_t sample = row / (heads * n), query = row % n;
      const Sum* const e = exps + row * n;
      const Sum* const pi = keep + sample * n;
      const Value* const da = gradients + row * n;
      Value* const dp = logits_out + row * n;
      Sum* const dpi = policy_out + sample * n;
      const Sum scale = inverses[row];
      const Sum own = e[query] * (1 - pi[query]) * static_cast<Sum>(da[query]);
      Sum weighted = own, total = 0;
      for (int64_t j = 0; j < n; ++j) {
        weighted += e[j] * pi[j] * static_cast<Sum>(da[j]);
        total += static_cast<Sum>(da[j]);
      }
      const Sum mean = (weighted + share * total) * scale;
      const Sum before = dpi[query];
      for (int64_t j = 0; j < n; ++j) {
        const Sum de = (static_cast<Sum>(da[j]) - mean) * scale * e[j];
        dp[j] = static_cast<Value>(de * pi[j]);
        dpi[j] += de;
      }
      dpi[query] = before;  // G_ii is 1 whatever the policy
      dp[query] = static_cast<Value>((static_cast<Sum>(da[query]) - mean) * scale * e[query]);
    }
  });
}

struct MaskedSoftmax : public Function<MaskedSoftmax> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& logits,
                               const torch::Tensor& policy, double eps) {
    const auto sums = logits.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
    // A copy even where the type is right already: it is overwritten.
    torch::Tensor x = logits.to(sums, false, true).contiguous();
    const torch::Tensor keep = policy.to(sums).contiguous();
    x.sub_(row_maximum(x, keep, eps)).clamp_max_(kMaxExponent).exp_();
    torch::Tensor attention = torch::empty(x.sizes(), logits.options());
    torch::Tensor inverse = torch::empty({x.size(0), x.size(1), x.size(2)}, x.options());
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, logits.scalar_type(), "masked_softmax", [&] {
      using Sum = std::conditional_t<std::is_same_v<scalar_t, double>, double, float>;
      forward_rows<scalar_t, Sum>(x, keep, attention, inverse, eps);
    });
    context->save_for_backward({x, keep, inverse});
    context->saved_data["eps"] = eps;
    context->saved_data["policy_type"] = policy.scalar_type();
    return attention;
  }

  static std::vector<torch::Tensor> backward(AutogradContext* context,
                                             std::vector<torch::Tensor> gradients) {
    const auto saved = context->get_saved_variables();
    const double eps = context->saved_data["eps"].toDouble();
    const torch::Tensor gradient = gradients[0].contiguous();
    torch::Tensor to_logits = torch::empty_like(gradient);
    torch::Tensor to_policy = torch::zeros_like(saved[1]);
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, gradient.scalar_type(), "masked_softmax", [&] {
      using Sum = std::conditional_t<std::is_same_v<scalar_t, double>, double, float>;
      backward_rows<scalar_t, Sum>(saved[0], saved[1], saved[2], gradient, to_logits, to_policy,
                                   eps);
    });
    const auto policy_type = context->saved_data["policy_type"].toScalarType();
    return {to_logits, to_policy.to(policy_type), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor masked_softmax(const torch::Tensor& logits, const torch::Tensor& policy, double eps) {
  check_argument(logits.dim() == 4 && policy.dim() == 2 && logits.size(2) == logits.size(3) &&
                     policy.size(0) == logits.size(0) && policy.size(1) == logits.size(3),
                 "[masked_softmax] expected logits [B, H, n, n] and policy [B, n], got ",
                 logits.sizes(), " and ", policy.sizes());
  if (!logits.device().is_cpu()) {  // the formula as it stands, for devices the kernel is not for
    const torch::Tensor eye = torch::eye(logits.size(3), policy.options());
    const torch::Tensor keep = policy.unsqueeze(1).unsqueeze(1);
    const torch::Tensor mask = (keep + (1 - keep) * eye).to(torch::kFloat);
    const torch::Tensor p = logits.to(torch::kFloat);
    const torch::Tensor shifted = p - row_maximum(p, policy, eps).detach();
    const torch::Tensor e = shifted.clamp_max(kMaxExponent).exp() * mask;
    return ((e + eps / static_cast<double>(logits.size(3))) / (e.sum(-1, true) + eps))
        .to(logits.scalar_type());
  }
  return MaskedSoftmax::apply(logits, policy, eps);
}

}  // namespace tokensieve::nn
