#include <algorithm>
#include <cmath>

#include "kernels/attention_head.h"

// Vectors of unknown length cannot sit in arrays, which the sums below need.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_attention_head.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tokensieve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;

// MaiT's masked head without its zeros (arXiv 2207.03006 eq. 2). Keys out of sight have the logit 0
// and hence the same numerator e0 w_j, where w_j = exp(bias_j) is 1 without a bias:
//
//     Z   = sum_near e_j + e0 (W - W_near)                           W = sum_j w_j
//     out = (sum_near (e_j - e0 w_j) v_j + e0 sum_j w_j v_j) / Z
//
// so that only near keys are multiplied. With a hard mask e0 is 0.

using Vector = hn::Vec<Tag>;

HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(Tag())); }

#if HWY_TARGET != HWY_SCALAR
// Halves are added until four lanes are left.
template <class D, class V>
HWY_INLINE auto folded_to_four(D d, V v) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return folded_to_four(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}
#endif

constexpr int kKeys = 4;  // whose dot products with a query are summed side by side

// The sum of the lanes of each of kKeys vectors.
HWY_INLINE void sums_of_lanes(const Vector* vectors, float* sums) {
#if HWY_TARGET == HWY_SCALAR
  for (int k = 0; k < kKeys; ++k) sums[k] = hn::GetLane(vectors[k]);
#else
  const hn::FixedTag<float, 4> d;
  hn::Vec<decltype(d)> folded[kKeys];
  for (int k = 0; k < kKeys; ++k) folded[k] = folded_to_four(Tag(), vectors[k]);
  const auto [a, b, c, e] = folded;
  const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::Add(hn::ConcatLowerLower(d, ce, ab), hn::ConcatUpperUpper(d, ce, ab)), d, sums);
#endif
}

// logits[i] = query . keys[list[i]]; up to kKeys - 1 more are written.
void near_logits(const float* query, const float* keys, int64_t stride, const int32_t* list,
                 int64_t count, int64_t dim, float* logits) {
  const Tag d;
  for (int64_t i = 0; i < count; i += kKeys) {
    const float* key[kKeys];
    for (int k = 0; k < kKeys; ++k) key[k] = keys + list[std::min(i + k, count - 1)] * stride;
    Vector sum[kKeys];
    for (Vector& vector : sum) vector = hn::Zero(d);
    int64_t c = 0;
    for (; c + lanes() <= dim; c += lanes()) {
      const Vector part = hn::LoadU(d, query + c);
      for (int k = 0; k < kKeys; ++k) sum[k] = hn::MulAdd(part, hn::LoadU(d, key[k] + c), sum[k]);
    }
    sums_of_lanes(sum, logits + i);
    for (; c < dim; ++c) {
      for (int k = 0; k < kKeys; ++k) logits[i + k] += query[c] * key[k][c];
    }
  }
}

// out = scale (base_factor * base + sum_i weights[i] * values[list[i]]), kVectors vectors of it; a
// null list is all rows in order, null weights are 1.
template <int kVectors>
HWY_INLINE void weigh(const float* values, int64_t stride, const int32_t* list,
                      const float* weights, int64_t count, const float* base, float base_factor,
                      float scale, float* out) {
  const Tag d;
  const int64_t step = lanes();
  Vector sum[kVectors];
  const Vector factor = hn::Set(d, base_factor);
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Mul(factor, hn::LoadU(d, base + v * step));
  for (int64_t i = 0; i < count; ++i) {
    const float* const row = values + (list ? list[i] : i) * stride;
    const Vector weight = hn::Set(d, weights ? weights[i] : 1.0f);
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = hn::MulAdd(weight, hn::LoadU(d, row + v * step), sum[v]);
    }
  }
  const Vector last = hn::Set(d, scale);
  for (int v = 0; v < kVectors; ++v) hn::StoreU(hn::Mul(last, sum[v]), d, out + v * step);
}

// The same over all of dim.
void weighted_sum(const float* values, int64_t stride, const int32_t* list, const float* weights,
                  int64_t count, const float* base, float base_factor, float scale, int64_t dim,
                  float* out) {
  const int64_t step = lanes();
  int64_t c = 0;
  for (; c + 4 * step <= dim; c += 4 * step) {
    weigh<4>(values + c, stride, list, weights, count, base + c, base_factor, scale, out + c);
  }
  for (; c + step <= dim; c += step) {
    weigh<1>(values + c, stride, list, weights, count, base + c, base_factor, scale, out + c);
  }
  for (; c < dim; ++c) {
    float sum = base_factor * base[c];
    for (int64_t i = 0; i < count; ++i) {
      sum += (weights ? weights[i] : 1.0f) * values[(list ? list[i] : i) * stride + c];
    }
    out[c] = scale * sum;
  }
}

// The highest of the logits and `least`; pads them to whole vectors with what takes no part.
float highest_of(float* logits, int64_t count, float least) {
  const Tag d;
  const int64_t padded = (count + lanes() - 1) / lanes() * lanes();
  std::fill(logits + count, logits + padded, -1e30f);
  Vector highest = hn::Set(d, least);
  for (int64_t j = 0; j < padded; j += lanes()) {
    highest = hn::Max(highest, hn::LoadU(d, logits + j));
  }
  return hn::GetLane(hn::MaxOfLanes(d, highest));
}

// logits -> exp(logits - highest), in place; returns the sum. Padded as highest_of() leaves them.
float exponentials(float* logits, int64_t count, float highest) {
  const Tag d;
  const Vector top = hn::Set(d, highest);
  Vector sum = hn::Zero(d);
  for (int64_t j = 0; j < count; j += lanes()) {
    const Vector e = exp_nonpositive(d, hn::Sub(hn::LoadU(d, logits + j), top));
    sum = hn::Add(sum, e);
    hn::StoreU(e, d, logits + j);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void run_local_head(const AttentionHead& head) {
  const int64_t n = head.num_keys, dim = head.head_dim;
  float* const sum_of_values = head.scratch;   // [dim], weighted; 0 for a hard mask
  float* const weights = sum_of_values + dim;  // [n], of keys with a bias
  float* const near = weights + n;             // [n + a vector], of one query
  float all_weights = static_cast<float>(n), highest_bias = 0.0f;
  if (head.key_bias) {
    all_weights = 0.0f;
    highest_bias = *std::max_element(head.key_bias, head.key_bias + n);
    for (int64_t j = 0; j < n; ++j) {
      weights[j] = std::exp(head.key_bias[j] - highest_bias);
      all_weights += weights[j];
    }
  }
  const auto weight = [&](int64_t key) { return head.key_bias ? weights[key] : 1.0f; };
  std::fill_n(sum_of_values, dim, 0.0f);
  if (head.out && !head.hard) {
    weighted_sum(head.values, head.stride, nullptr, head.key_bias ? weights : nullptr, n,
                 sum_of_values, 0.0f, 1.0f, dim, sum_of_values);
  }

  float far_sum = 0.0f;  // of the queries of one run of column sums
  const auto flush = [&](int64_t query) {
    if (!head.column_sums || far_sum == 0.0f) return;
    float* const sums = head.column_sums + query / kQueriesPerSum * n;
    for (int64_t j = 0; j < n; ++j) sums[j] += far_sum * weight(j);
    far_sum = 0.0f;
  };
  for (int64_t q = head.first_query; q < head.last_query; ++q) {
    const int64_t row = head.query_rows ? head.query_rows[q] - head.first_row : q;
    const float* const query =
        head.queries + (head.query_rows ? head.query_rows[q] : q) * head.stride;
    const int32_t* const keys = head.neighbours + head.neighbour_offsets[row];
    const int64_t count = head.neighbour_offsets[row + 1] - head.neighbour_offsets[row];
    const bool far = !head.hard && count < n;
    near_logits(query, head.keys, head.stride, keys, count, dim, near);
    float near_weights = static_cast<float>(count);
    if (head.key_bias) {
      near_weights = 0.0f;
      for (int64_t i = 0; i < count; ++i) {
        near[i] += head.key_bias[keys[i]];
        near_weights += weights[keys[i]];
      }
    }
    const float highest = highest_of(near, count, far ? highest_bias : -1e30f);
    const float near_sum = exponentials(near, count, highest);
    const float e0 = far ? std::exp(highest_bias - highest) : 0.0f;
    const float inverse = 1.0f / (near_sum + e0 * (all_weights - near_weights));

    if (head.class_row && q == 0) {
      for (int64_t j = 0; j < n; ++j) head.class_row[j] = e0 * weight(j) * inverse;
      for (int64_t i = 0; i < count; ++i) head.class_row[keys[i]] = near[i] * inverse;
    }
    if (head.key_bias) {
      for (int64_t i = 0; i < count; ++i) near[i] -= e0 * weights[keys[i]];
    } else {
      for (int64_t i = 0; i < count; ++i) near[i] -= e0;
    }
    if (head.column_sums) {
      if (q % kQueriesPerSum == 0) flush(q - 1);
      far_sum += e0 * inverse;
      float* const sums = head.column_sums + q / kQueriesPerSum * n;
      for (int64_t i = 0; i < count; ++i) sums[keys[i]] += near[i] * inverse;
    }
    if (!head.out) continue;
    float* const out = head.out + q * head.out_stride;
    weighted_sum(head.values, head.stride, keys, near, count, sum_of_values, e0, inverse, dim, out);
    if (head.output_norm) {
      float squares = 0.0f;
      for (int64_t c = 0; c < dim; ++c) squares += out[c] * out[c];
      head.output_norm[q] = std::sqrt(squares);
    }
  }
  flush(head.last_query - 1);
}

}  // namespace HWY_NAMESPACE
}  // namespace tokensieve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tokensieve {

HWY_EXPORT(run_local_head);

void local_attention_head(const AttentionHead& head) { HWY_DYNAMIC_DISPATCH(run_local_head)(head); }

}  // namespace tokensieve
#endif
