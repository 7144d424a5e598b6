#include "attention_rows.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "wide_clones.h"

namespace tokensieve::nn {
namespace {

using c10::BFloat16;

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
  constexpr uint32_t kBias = 127;
  const float power = std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) + kBias) << 23);
  return x < -80.0f ? 0.0f : p * power;
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

}  // namespace

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

}  // namespace tokensieve::nn
