#include "sample_attention.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "attention_rows.h"
#include "dropout.h"
#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;

torch::Dtype wide_type(const torch::Tensor& x) {
  return x.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
}

/// Queries (scaled), keys and values of one sample, `[H, n, d]` each.
struct Heads {
  torch::Tensor query, key, value;
};

double scale_of(const torch::Tensor& qkv) {
  return 1.0 / std::sqrt(static_cast<double>(qkv.size(4)));
}

Heads heads_of(const torch::Tensor& qkv, int64_t sample) {
  const torch::Tensor parts = qkv[sample].permute({1, 2, 0, 3}).contiguous();
  return {parts[0].mul_(scale_of(qkv)), parts[1], parts[2]};
}

/// `[H, n, d]` to the `[n, H, d]` view that `to` is.
void put_heads(const torch::Tensor& from, const torch::Tensor& to) {
  to.copy_(from.transpose(0, 1));
}

/// What both passes know of their call.
struct Call {
  torch::Tensor qkv;
  torch::Tensor bias = {}, queries = {};  ///< Of the wide type, `[B, n]` or undefined.
  uint64_t seed = 0;
  double rate = 0;

  int64_t batch() const { return qkv.size(0); }
  int64_t tokens() const { return qkv.size(1); }
  int64_t heads() const { return qkv.size(3); }

  /// Calls `row(rows, offset, weight)` for every row of one sample's `[H, n, n]`: `weight` is that
  /// of its query in the mean over heads, `rows.mask` its dropout.
  template <typename Wide, typename Row>
  void for_rows(int64_t sample, Rows<Wide>& rows, Row row) const {
    const int64_t n = tokens();
    for (int64_t i = 0; i < heads() * n; ++i) {
      if (rate > 0) dropout_row(rows.mask.data(), n, seed, sample * heads() * n + i, rate);
      const Wide live =
          queries.defined() ? queries.const_data_ptr<Wide>()[sample * n + i % n] : Wide{0};
      row(rows, i * n, live / static_cast<Wide>(heads()));
    }
  }
};

/// `task(sample)` for each sample, on all threads.
template <typename Task>
void for_samples(int64_t batch, Task task) {
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard guard;  // a thread's own state
    for (int64_t sample = begin; sample < end; ++sample) task(sample);
  });
}

torch::Tensor row_of(const torch::Tensor& of_samples, int64_t sample) {
  return of_samples.defined() ? of_samples[sample] : torch::Tensor();
}

template <typename Value>
void forward(const Call& call, const torch::Tensor& outputs, const torch::Tensor& received) {
  using Wide = WideOf<Value>;
  const int64_t n = call.tokens();
  for_samples(call.batch(), [&](int64_t sample) {
    const Heads heads = heads_of(call.qkv, sample);
    const torch::Tensor attention = at::bmm(heads.query, heads.key.transpose(1, 2));
    Value* const x = attention.data_ptr<Value>();
    Rows<Wide> scratch(n, row_of(call.bias, sample));
    call.for_rows(sample, scratch, [&](Rows<Wide>& rows, int64_t offset, Wide weight) {
      forward_row(x + offset, rows, weight, n);
    });
    put_heads(at::bmm(attention, heads.value), outputs[sample]);
    if (received.defined()) {
      std::copy_n(scratch.sums.data(), n, received.data_ptr<Wide>() + sample * n);
    }
  });
}

template <typename Value>
void backward(const Call& call, const torch::Tensor& to_outputs, const torch::Tensor& to_received,
              const torch::Tensor& to_qkv, const torch::Tensor& to_bias) {
  using Wide = WideOf<Value>;
  const int64_t n = call.tokens();
  for_samples(call.batch(), [&](int64_t sample) {
    const Heads heads = heads_of(call.qkv, sample);
    const torch::Tensor attention = at::bmm(heads.query, heads.key.transpose(1, 2));
    const torch::Tensor outer = to_outputs[sample].transpose(0, 1).contiguous();
    const torch::Tensor gradient = at::bmm(outer, heads.value.transpose(1, 2));
    Value* const x = attention.data_ptr<Value>();
    Value* const g = gradient.data_ptr<Value>();
    Rows<Wide> scratch(n, row_of(call.bias, sample));
    std::vector<Wide> column(static_cast<size_t>(n));
    if (to_received.defined()) {
      std::copy_n(to_received.const_data_ptr<Wide>() + sample * n, n, column.data());
    }
    call.for_rows(sample, scratch, [&](Rows<Wide>& rows, int64_t offset, Wide weight) {
      backward_row(x + offset, g + offset, rows, column.data(), weight, n);
    });
    const auto parts = to_qkv[sample].unbind(1);
    put_heads(at::bmm(gradient, heads.key).mul_(scale_of(call.qkv)), parts[0]);
    put_heads(at::bmm(gradient.transpose(1, 2), heads.query), parts[1]);
    put_heads(at::bmm(attention.transpose(1, 2), outer), parts[2]);
    if (to_bias.defined()) {
      std::copy_n(scratch.sums.data(), n, to_bias.data_ptr<Wide>() + sample * n);
    }
  });
}

/// A tensor, or none: autograd takes no undefined ones.
using Given = std::optional<torch::Tensor>;

Given given(const torch::Tensor& x) { return x.defined() ? Given(x) : std::nullopt; }

struct AttentionBySamples : public Function<AttentionBySamples> {
  static torch::autograd::variable_list forward(AutogradContext* context, const torch::Tensor& qkv,
                                                const Given& bias, const Given& queries,
                                                double rate) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    Call call{.qkv = qkv.contiguous(), .rate = rate};
    if (bias) call.bias = bias->to(wide_type(qkv)).contiguous();
    if (queries) call.queries = queries->to(wide_type(qkv)).contiguous();
    if (rate > 0) call.seed = dropout_seed();
    torch::Tensor outputs =
        torch::empty({call.batch(), call.tokens(), call.heads(), qkv.size(4)}, qkv.options());
    torch::Tensor received;
    if (queries) received = torch::empty_like(call.queries);
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, qkv.scalar_type(), "sample_attention",
                                   [&] { nn::forward<scalar_t>(call, outputs, received); });
    context->save_for_backward({call.qkv, call.bias, call.queries});
    context->saved_data["seed"] = static_cast<int64_t>(call.seed);
    context->saved_data["rate"] = rate;
    if (bias) context->saved_data["bias_type"] = bias->scalar_type();
    if (!queries) return {outputs.flatten(2)};
    return {outputs.flatten(2), received};
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto saved = context->get_saved_variables();
    const Call call{.qkv = saved[0],
                    .bias = saved[1],
                    .queries = saved[2],
                    .seed = static_cast<uint64_t>(context->saved_data["seed"].toInt()),
                    .rate = context->saved_data["rate"].toDouble()};
    const torch::Tensor to_outputs =
        gradients[0].defined()
            ? gradients[0].view({call.batch(), call.tokens(), call.heads(), call.qkv.size(4)})
            : call.qkv.new_zeros({call.batch(), call.tokens(), call.heads(), call.qkv.size(4)});
    const torch::Tensor to_received = gradients.size() > 1 && gradients[1].defined()
                                          ? gradients[1].contiguous()
                                          : torch::Tensor();
    const torch::Tensor to_qkv = torch::empty_like(call.qkv);
    torch::Tensor to_bias;
    if (call.bias.defined()) to_bias = torch::empty_like(call.bias);
    AT_DISPATCH_FLOATING_TYPES_AND(
        torch::kBFloat16, call.qkv.scalar_type(), "sample_attention",
        [&] { nn::backward<scalar_t>(call, to_outputs, to_received, to_qkv, to_bias); });
    if (to_bias.defined()) to_bias = to_bias.to(context->saved_data["bias_type"].toScalarType());
    return {to_qkv, to_bias, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

SampleAttention sample_attention_by_ops(const torch::Tensor& qkv, const torch::Tensor& bias,
                                        const torch::Tensor& queries, double rate) {
  const auto parts = qkv.permute({2, 0, 3, 1, 4}).unbind(0);
  torch::Tensor logits = torch::matmul(parts[0] * scale_of(qkv), parts[1].transpose(-2, -1));
  if (bias.defined()) logits = logits + bias.to(logits.scalar_type()).unsqueeze(1).unsqueeze(1);
  torch::Tensor attention = torch::softmax(logits, -1);
  if (rate > 0) attention = dropout(attention, rate);
  SampleAttention result{torch::matmul(attention, parts[2]).transpose(1, 2).flatten(2), {}};
  if (queries.defined()) {
    const torch::Tensor by_query = attention.to(wide_type(qkv)).mean(1);
    result.received = (by_query * queries.to(by_query.scalar_type()).unsqueeze(-1)).sum(1);
  }
  return result;
}

SampleAttention sample_attention(const torch::Tensor& qkv, const torch::Tensor& bias,
                                 const torch::Tensor& queries, double rate) {
  check_argument(qkv.dim() == 5 && qkv.size(2) == 3,
                 "[sample_attention] expected qkv [B, n, 3, H, d], got ", qkv.sizes());
  for (const torch::Tensor& of_tokens : {bias, queries}) {
    check_argument(!of_tokens.defined() || of_tokens.sizes() == qkv.sizes().slice(0, 2),
                   "[sample_attention] expected bias and queries [B, n] of ",
                   qkv.sizes().slice(0, 2), ", got ", of_tokens.sizes());
  }
  if (!qkv.device().is_cpu()) return sample_attention_by_ops(qkv, bias, queries, rate);
  const auto results = AttentionBySamples::apply(qkv, given(bias), given(queries), rate);
  return {results[0], queries.defined() ? results[1] : torch::Tensor()};
}

}  // namespace tokensieve::nn
