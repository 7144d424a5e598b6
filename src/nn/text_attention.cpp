#include "text_attention.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "dropout.h"
#include "wide_clones.h"

namespace tokensieve::nn {
namespace {

using c10::BFloat16;
using torch::autograd::AutogradContext;
using torch::autograd::Function;

/// The type that rows of `Value`s are computed in.
template <typename Value>
using WideOf = std::conditional_t<std::is_same_v<Value, double>, double, float>;

torch::Dtype wide_type(const torch::Tensor& x) {
  return x.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
}

TOKENSIEVE_INLINE double exp_of(double x) { return std::exp(x); }

/// e^x for x <= 0 within 2e-7 of it, and 0 below e^-80: 2^k e^f with f in [-ln 2 / 2, ln 2 / 2].
/// Without a branch, and never a denormal number, which a processor takes its time for.
TOKENSIEVE_INLINE float exp_of(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 2^23: what it is added to loses its fraction
  const float t = x * std::numbers::log2e_v<float>;
  const float shifted = t + kRound;
  const float f = (t - (shifted - kRound)) * std::numbers::ln2_v<float>;
  float p = 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  const uint32_t power = std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(shifted) << 23);
  return x < -80.0f ? 0.0f : std::bit_cast<float>(power);
}

template <typename Value>
TOKENSIEVE_INLINE void widen(const Value* from, Value* to, int64_t n) {
  std::copy_n(from, n, to);
}
TOKENSIEVE_INLINE void widen(const BFloat16* from, float* to, int64_t n) {
  for (int64_t j = 0; j < n; ++j) to[j] = std::bit_cast<float>(uint32_t{from[j].x} << 16);
}

template <typename Value>
TOKENSIEVE_INLINE void narrow(const Value* from, Value* to, int64_t n) {
  std::copy_n(from, n, to);
}
/// To nearest, ties to even; NaN stays NaN.
TOKENSIEVE_INLINE void narrow(const float* from, BFloat16* to, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    const uint32_t bits = std::bit_cast<uint32_t>(from[j]);
    const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    to[j].x = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
  }
}

/// Sum of `a[j] * b[j]`; compilers would keep the order of a plain sum.
template <typename Wide>
TOKENSIEVE_INLINE Wide dot(const Wide* a, const Wide* b, int64_t n) {
  Wide sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += a[j] * b[j];
  return sum;
}

/// Softmax of `row` plus `bias`.
template <typename Wide>
TOKENSIEVE_INLINE void softmax(Wide* row, const Wide* bias, int64_t n) {
  Wide top = row[0] + bias[0], sum = 0;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < n; ++j) {
    row[j] += bias[j];
    top = row[j] > top ? row[j] : top;
  }
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) {
    row[j] = exp_of(row[j] - top);
    sum += row[j];
  }
  const Wide scale = 1 / sum;
  for (int64_t j = 0; j < n; ++j) row[j] *= scale;
}

/// Rows that a thread works in.
template <typename Wide>
struct Rows {
  explicit Rows(int64_t n, const torch::Tensor& key_bias)
      : bias(static_cast<size_t>(n)), row(bias), mask(bias), other(bias), sums(bias) {
    if (key_bias.defined()) std::copy_n(key_bias.const_data_ptr<Wide>(), n, bias.data());
    std::fill(mask.begin(), mask.end(), Wide{1});
  }

  std::vector<Wide> bias, row, mask, other, sums;
};

/// A row of logits to probabilities behind dropout; `sums` gains `weight` times them.
template <typename Value>
TOKENSIEVE_INLINE void forward_row_of(Value* logits, Rows<WideOf<Value>>& rows,
                                      WideOf<Value> weight, int64_t n) {
  auto* const p = rows.row.data();
  widen(logits, p, n);
  softmax(p, rows.bias.data(), n);
  const auto* const mask = rows.mask.data();
  auto* const sums = rows.sums.data();
  for (int64_t j = 0; j < n; ++j) {
    p[j] *= mask[j];
    sums[j] += weight * p[j];
  }
  narrow(p, logits, n);
}

/// A row of logits to probabilities behind dropout, and a row of the gradient of those to that of
/// the logits. `received` is the gradient of the sums; `rows.sums` gains that of the bias.
template <typename Value>
TOKENSIEVE_INLINE void backward_row_of(Value* logits, Value* gradient, Rows<WideOf<Value>>& rows,
                                       const WideOf<Value>* received, WideOf<Value> weight,
                                       int64_t n) {
  using Wide = WideOf<Value>;
  Wide* const p = rows.row.data();
  Wide* const g = rows.other.data();
  Wide* const mask = rows.mask.data();
  Wide* const sums = rows.sums.data();
  widen(logits, p, n);
  softmax(p, rows.bias.data(), n);
  widen(gradient, g, n);
  for (int64_t j = 0; j < n; ++j) g[j] = (g[j] + weight * received[j]) * mask[j];
  const Wide mean = dot(p, g, n);
  for (int64_t j = 0; j < n; ++j) {
    g[j] = p[j] * (g[j] - mean);
    sums[j] += g[j];
    p[j] *= mask[j];
  }
  narrow(g, gradient, n);
  narrow(p, logits, n);
}

// Templates cannot be cloned: one function for each type of values.
TOKENSIEVE_WIDE_CLONES void forward_row(BFloat16* x, Rows<float>& rows, float weight, int64_t n) {
  forward_row_of(x, rows, weight, n);
}
TOKENSIEVE_WIDE_CLONES void forward_row(float* x, Rows<float>& rows, float weight, int64_t n) {
  forward_row_of(x, rows, weight, n);
}
void forward_row(double* x, Rows<double>& rows, double weight, int64_t n) {
  forward_row_of(x, rows, weight, n);
}
TOKENSIEVE_WIDE_CLONES void backward_row(BFloat16* x, BFloat16* g, Rows<float>& rows,
                                         const float* received, float weight, int64_t n) {
  backward_row_of(x, g, rows, received, weight, n);
}
TOKENSIEVE_WIDE_CLONES void backward_row(float* x, float* g, Rows<float>& rows,
                                         const float* received, float weight, int64_t n) {
  backward_row_of(x, g, rows, received, weight, n);
}
void backward_row(double* x, double* g, Rows<double>& rows, const double* received, double weight,
                  int64_t n) {
  backward_row_of(x, g, rows, received, weight, n);
}

/// Queries (scaled), keys and values of one text, `[H, n, d]` each.
struct Heads {
  torch::Tensor query, key, value;
};

double scale_of(const torch::Tensor& qkv) {
  return 1.0 / std::sqrt(static_cast<double>(qkv.size(4)));
}

Heads heads_of(const torch::Tensor& qkv, int64_t text) {
  const torch::Tensor parts = qkv[text].permute({1, 2, 0, 3}).contiguous();
  return {parts[0].mul_(scale_of(qkv)), parts[1], parts[2]};
}

/// `[H, n, d]` to the `[n, H, d]` view that `to` is.
void put_heads(const torch::Tensor& from, const torch::Tensor& to) {
  to.copy_(from.transpose(0, 1));
}

/// What both passes know of their call.
struct Call {
  torch::Tensor qkv, bias = {},
                     queries = {};  ///< The last two of the wide type, `[B, n]` or undefined.
  uint64_t seed = 0;
  double rate = 0;

  int64_t batch() const { return qkv.size(0); }
  int64_t tokens() const { return qkv.size(1); }
  int64_t heads() const { return qkv.size(3); }

  /// Calls `row(rows, offset, weight)` for every row of one text's `[H, n, n]`: `weight` is that of
  /// its query in the mean over heads, `rows.mask` its dropout.
  template <typename Wide, typename Row>
  void for_rows(int64_t text, Rows<Wide>& rows, Row row) const {
    const int64_t n = tokens();
    for (int64_t i = 0; i < heads() * n; ++i) {
      if (rate > 0) dropout_row(rows.mask.data(), n, seed, text * heads() * n + i, rate);
      const Wide live =
          queries.defined() ? queries.const_data_ptr<Wide>()[text * n + i % n] : Wide{0};
      row(rows, i * n, live / static_cast<Wide>(heads()));
    }
  }
};

/// `task(text)` for each text, on all threads.
template <typename Task>
void for_texts(int64_t batch, Task task) {
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard guard;  // a thread's own state
    for (int64_t text = begin; text < end; ++text) task(text);
  });
}

torch::Tensor row_of(const torch::Tensor& of_texts, int64_t text) {
  return of_texts.defined() ? of_texts[text] : torch::Tensor();
}

template <typename Value>
void forward(const Call& call, const torch::Tensor& outputs, const torch::Tensor& received) {
  using Wide = WideOf<Value>;
  const int64_t n = call.tokens();
  for_texts(call.batch(), [&](int64_t text) {
    const Heads heads = heads_of(call.qkv, text);
    const torch::Tensor attention = at::bmm(heads.query, heads.key.transpose(1, 2));
    Value* const x = attention.data_ptr<Value>();
    Rows<Wide> scratch(n, row_of(call.bias, text));
    call.for_rows(text, scratch, [&](Rows<Wide>& rows, int64_t offset, Wide weight) {
      forward_row(x + offset, rows, weight, n);
    });
    put_heads(at::bmm(attention, heads.value), outputs[text]);
    if (received.defined()) {
      std::copy_n(scratch.sums.data(), n, received.data_ptr<Wide>() + text * n);
    }
  });
}

template <typename Value>
void backward(const Call& call, const torch::Tensor& to_outputs, const torch::Tensor& to_received,
              const torch::Tensor& to_qkv, const torch::Tensor& to_bias) {
  using Wide = WideOf<Value>;
  const int64_t n = call.tokens();
  for_texts(call.batch(), [&](int64_t text) {
    const Heads heads = heads_of(call.qkv, text);
    const torch::Tensor attention = at::bmm(heads.query, heads.key.transpose(1, 2));
    const torch::Tensor outer = to_outputs[text].transpose(0, 1).contiguous();
    const torch::Tensor gradient = at::bmm(outer, heads.value.transpose(1, 2));
    Value* const x = attention.data_ptr<Value>();
    Value* const g = gradient.data_ptr<Value>();
    Rows<Wide> scratch(n, row_of(call.bias, text));
    std::vector<Wide> column(static_cast<size_t>(n));
    if (to_received.defined()) {
      std::copy_n(to_received.const_data_ptr<Wide>() + text * n, n, column.data());
    }
    call.for_rows(text, scratch, [&](Rows<Wide>& rows, int64_t offset, Wide weight) {
      backward_row(x + offset, g + offset, rows, column.data(), weight, n);
    });
    const auto parts = to_qkv[text].unbind(1);
    put_heads(at::bmm(gradient, heads.key).mul_(scale_of(call.qkv)), parts[0]);
    put_heads(at::bmm(gradient.transpose(1, 2), heads.query), parts[1]);
    put_heads(at::bmm(attention.transpose(1, 2), outer), parts[2]);
    if (to_bias.defined()) {
      std::copy_n(scratch.sums.data(), n, to_bias.data_ptr<Wide>() + text * n);
    }
  });
}

/// A tensor, or none: autograd takes no undefined ones.
using Given = std::optional<torch::Tensor>;

Given given(const torch::Tensor& x) { return x.defined() ? Given(x) : std::nullopt; }

struct FusedAttention : public Function<FusedAttention> {
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
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, qkv.scalar_type(), "text_attention",
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
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, call.qkv.scalar_type(), "text_attention", [&] {
      nn::backward<scalar_t>(call, to_outputs, to_received, to_qkv, to_bias);
    });
    if (to_bias.defined()) to_bias = to_bias.to(context->saved_data["bias_type"].toScalarType());
    return {to_qkv, to_bias, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

TextAttention text_attention(const torch::Tensor& qkv, const torch::Tensor& bias,
                             const torch::Tensor& queries, double rate) {
  if (qkv.device().is_cpu()) {
    const auto results = FusedAttention::apply(qkv, given(bias), given(queries), rate);
    return {results[0], queries.defined() ? results[1] : torch::Tensor()};
  }
  const auto parts = qkv.permute({2, 0, 3, 1, 4}).unbind(0);
  torch::Tensor logits = torch::matmul(parts[0] * scale_of(qkv), parts[1].transpose(-2, -1));
  if (bias.defined()) logits = logits + bias.to(logits.scalar_type()).unsqueeze(1).unsqueeze(1);
  torch::Tensor attention = torch::softmax(logits, -1);
  if (rate > 0) attention = dropout(attention, rate);
  TextAttention result{torch::matmul(attention, parts[2]).transpose(1, 2).flatten(2), {}};
  if (queries.defined()) {
    const torch::Tensor by_query = attention.to(wide_type(qkv)).mean(1);
    result.received = (by_query * queries.to(by_query.scalar_type()).unsqueeze(-1)).sum(1);
  }
  return result;
}

}  // namespace tokensieve::nn
