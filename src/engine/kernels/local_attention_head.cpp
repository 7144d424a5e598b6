#include <algorithm>
#include <cmath>

#include "kernels/attention_head.h"

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

float dot(const float* a, const float* b, int64_t count) {
  const Tag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    sum = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

/// y += factor * x
void add_scaled(float factor, const float* x, int64_t count, float* y) {
  const Tag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto factors = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::MulAdd(factors, hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  }
  for (; i < count; ++i) y[i] += factor * x[i];
}

void scale(float factor, int64_t count, float* y) {
  for (int64_t i = 0; i < count; ++i) y[i] *= factor;
}

/// logits -> exp(logits - highest), in place; room for whole vectors behind them.
void exponentials(float* logits, int64_t count, float highest) {
  const Tag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto top = hn::Set(d, highest);
  for (int64_t j = 0; j < count; j += lanes) {
    hn::StoreU(exp_nonpositive(d, hn::Sub(hn::LoadU(d, logits + j), top)), d, logits + j);
  }
}

void run_local_head(const AttentionHead& head) {
  const int64_t n = head.num_keys, dim = head.head_dim;
  float* const sum_of_values = head.scratch;   // [dim], weighted
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
  if (head.out && !head.hard) {
    std::fill_n(sum_of_values, dim, 0.0f);
    for (int64_t j = 0; j < n; ++j) {
      add_scaled(weight(j), head.values + j * head.stride, dim, sum_of_values);
    }
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
    float highest = far ? highest_bias : -1e30f, near_weights = 0.0f;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t key = keys[i];
      near[i] = dot(query, head.keys + key * head.stride, dim);
      if (head.key_bias) near[i] += head.key_bias[key];
      highest = std::max(highest, near[i]);
      near_weights += weight(key);
    }
    exponentials(near, count, highest);
    const float e0 = far ? std::exp(highest_bias - highest) : 0.0f;
    float total = e0 * (all_weights - near_weights);
    for (int64_t i = 0; i < count; ++i) total += near[i];
    const float inverse = 1.0f / total;

    if (head.class_row && q == 0) {
      for (int64_t j = 0; j < n; ++j) head.class_row[j] = e0 * weight(j) * inverse;
      for (int64_t i = 0; i < count; ++i) head.class_row[keys[i]] = near[i] * inverse;
    }
    for (int64_t i = 0; i < count; ++i) near[i] -= e0 * weight(keys[i]);
    if (head.column_sums) {
      if (q % kQueriesPerSum == 0) flush(q - 1);
      far_sum += e0 * inverse;
      float* const sums = head.column_sums + q / kQueriesPerSum * n;
      for (int64_t i = 0; i < count; ++i) sums[keys[i]] += near[i] * inverse;
    }
    if (!head.out) continue;
    float* const out = head.out + q * head.out_stride;
    if (far) {
      std::copy_n(sum_of_values, dim, out);
      scale(e0, dim, out);
    } else {
      std::fill_n(out, dim, 0.0f);
    }
    for (int64_t i = 0; i < count; ++i) {
      add_scaled(near[i], head.values + keys[i] * head.stride, dim, out);
    }
    scale(inverse, dim, out);
    if (head.output_norm) head.output_norm[q] = std::sqrt(dot(out, out, dim));
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
