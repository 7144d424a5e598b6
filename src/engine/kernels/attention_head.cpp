#include "kernels/attention_head.h"

#include <algorithm>
#include <cmath>

// Vectors of unknown length cannot sit in arrays, which the register tile below needs.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_head.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tokensieve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

// Rows of a register tile: 6 x 2 accumulators fill the FMA units and fit 16 registers.
constexpr int kTileRows = 6;
constexpr int64_t kPadding = 32;  // columns of two vectors of the widest target

// c[kRows][2 vectors] = scale_r * sum_k a[r][k] * b[k][2 vectors]
template <int kRows>
HWY_INLINE void tile(const float* const* a, const float* b, int64_t ldb, int64_t depth, float* const* c,
                     const float* scale) {
  const Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  Vector low[kRows], high[kRows];
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = hn::Zero(d);
  for (int64_t k = 0; k < depth; ++k, b += ldb) {
    const Vector b0 = hn::LoadU(d, b);
    const Vector b1 = hn::LoadU(d, b + lanes);
    for (int r = 0; r < kRows; ++r) {
      const Vector value = hn::Set(d, a[r][k]);
      low[r] = hn::MulAdd(value, b0, low[r]);
      high[r] = hn::MulAdd(value, b1, high[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const Vector factor = hn::Set(d, scale[r]);
    hn::StoreU(hn::Mul(low[r], factor), d, c[r]);
    hn::StoreU(hn::Mul(high[r], factor), d, c[r] + lanes);
  }
}

// c[rows][cols] = scale_r * a[rows][depth] b[depth][cols], cols a multiple of two vectors.
void multiply(int rows, const float* const* a, const float* b, int64_t ldb, int64_t depth, int64_t cols,
              float* const* c, const float* scale) {
  const int64_t step = 2 * static_cast<int64_t>(hn::Lanes(Tag()));
  float* to[kTileRows];
  for (int64_t j = 0; j < cols; j += step) {
    for (int r = 0; r < rows; ++r) to[r] = c[r] + j;
    switch (rows) {
      case 6: tile<6>(a, b + j, ldb, depth, to, scale); break;
      case 5: tile<5>(a, b + j, ldb, depth, to, scale); break;
      case 4: tile<4>(a, b + j, ldb, depth, to, scale); break;
      case 3: tile<3>(a, b + j, ldb, depth, to, scale); break;
      case 2: tile<2>(a, b + j, ldb, depth, to, scale); break;
      default: tile<1>(a, b + j, ldb, depth, to, scale); break;
    }
  }
}

// packed[k][j] = keys[j][k], columns num_keys..padded zero.
void transpose_keys(const float* keys, int64_t stride, int64_t num_keys, int64_t head_dim,
                    int64_t padded, float* packed) {
  int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; j + 4 <= num_keys; j += 4) {
    const float* row = keys + j * stride;
    int64_t k = 0;
    for (; k + 4 <= head_dim; k += 4) {
      const auto r0 = hn::LoadU(d, row + k), r1 = hn::LoadU(d, row + stride + k);
      const auto r2 = hn::LoadU(d, row + 2 * stride + k), r3 = hn::LoadU(d, row + 3 * stride + k);
      const auto l02 = hn::InterleaveLower(d, r0, r2), l13 = hn::InterleaveLower(d, r1, r3);
      const auto u02 = hn::InterleaveUpper(d, r0, r2), u13 = hn::InterleaveUpper(d, r1, r3);
      float* to = packed + k * padded + j;
      hn::StoreU(hn::InterleaveLower(d, l02, l13), d, to);
      hn::StoreU(hn::InterleaveUpper(d, l02, l13), d, to + padded);
      hn::StoreU(hn::InterleaveLower(d, u02, u13), d, to + 2 * padded);
      hn::StoreU(hn::InterleaveUpper(d, u02, u13), d, to + 3 * padded);
    }
    for (; k < head_dim; ++k) {
      for (int64_t i = 0; i < 4; ++i) packed[k * padded + j + i] = row[i * stride + k];
    }
  }
#endif
  for (int64_t k = 0; k < head_dim; ++k) {
    float* to = packed + k * padded;
    for (int64_t i = j; i < num_keys; ++i) to[i] = keys[i * stride + k];
    std::fill(to + num_keys, to + padded, 0.0f);
  }
}

// logits -> exp(logits - max), in place; returns the sum. The padding behind num_keys takes no part.
float exponentials(float* logits, const float* key_bias, int64_t num_keys, int64_t padded) {
  const Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (key_bias) {
    for (int64_t j = 0; j < num_keys; ++j) logits[j] += key_bias[j];
  }
  std::fill(logits + num_keys, logits + padded, -1e30f);
  Vector highest = hn::LoadU(d, logits);
  for (int64_t j = lanes; j < padded; j += lanes) {
    highest = hn::Max(highest, hn::LoadU(d, logits + j));
  }
  highest = hn::MaxOfLanes(d, highest);
  Vector sum = hn::Zero(d);
  for (int64_t j = 0; j < padded; j += lanes) {
    const Vector e = exp_nonpositive(d, hn::Sub(hn::LoadU(d, logits + j), highest));
    sum = hn::Add(sum, e);
    hn::StoreU(e, d, logits + j);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void run_head(const AttentionHead& head) {
  const int64_t n = head.num_keys, dim = head.head_dim;
  const int64_t padded = (n + kPadding - 1) / kPadding * kPadding;
  const int64_t padded_dim = (dim + kPadding - 1) / kPadding * kPadding;
  float* keys = head.scratch;
  float* logits = keys + dim * padded;
  float* rows = logits + kTileRows * padded;
  float* packed_values = rows + kTileRows * padded_dim;
  transpose_keys(head.keys, head.stride, n, dim, padded, keys);

  // Values are read in place unless a row is not whole vectors.
  const float* values = head.values;
  int64_t value_stride = head.stride;
  if (head.out && dim != padded_dim) {
    for (int64_t j = 0; j < n; ++j) {
      float* to = packed_values + j * padded_dim;
      std::copy_n(head.values + j * head.stride, dim, to);
      std::fill(to + dim, to + padded_dim, 0.0f);
    }
    values = packed_values;
    value_stride = padded_dim;
  }

  constexpr float kOnes[kTileRows] = {1, 1, 1, 1, 1, 1};
  for (int64_t first = head.first_query; first < head.last_query; first += kTileRows) {
    const int count = static_cast<int>(std::min<int64_t>(kTileRows, head.last_query - first));
    const float* query[kTileRows];
    float* logit[kTileRows];
    float* out[kTileRows];
    float inverse[kTileRows];
    for (int r = 0; r < count; ++r) {
      const int64_t q = first + r;
      query[r] = head.queries + (head.query_rows ? head.query_rows[q] : q) * head.stride;
      logit[r] = logits + r * padded;
      out[r] = dim == padded_dim && head.out ? head.out + q * head.out_stride : rows + r * padded_dim;
    }
    multiply(count, query, keys, padded, dim, padded, logit, kOnes);
    for (int r = 0; r < count; ++r) {
      inverse[r] = 1.0f / exponentials(logit[r], head.key_bias, n, padded);
    }
    if (head.class_row && first == 0) {
      for (int64_t j = 0; j < n; ++j) head.class_row[j] = logit[0][j] * inverse[0];
    }
    if (head.column_sums) {
      for (int r = 0; r < count; ++r) {
        for (int64_t j = 0; j < n; ++j) head.column_sums[j] += logit[r][j] * inverse[r];
      }
    }
    if (!head.out) continue;
    multiply(count, logit, values, value_stride, n, padded_dim, out, inverse);
    if (dim != padded_dim) {
      for (int r = 0; r < count; ++r) {
        std::copy_n(out[r], dim, head.out + (first + r) * head.out_stride);
      }
    }
    if (head.output_norm) {
      for (int r = 0; r < count; ++r) {
        float squares = 0.0f;
        for (int64_t k = 0; k < dim; ++k) squares += out[r][k] * out[r][k];
        head.output_norm[first + r] = std::sqrt(squares);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tokensieve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tokensieve {

HWY_EXPORT(run_head);

int64_t attention_head_scratch(int64_t num_keys, int64_t head_dim) {
  const int64_t padded = (num_keys + 31) / 32 * 32, padded_dim = (head_dim + 31) / 32 * 32;
  return (head_dim + 6) * padded + (num_keys + 6) * padded_dim;
}

void attention_head(const AttentionHead& head) { HWY_DYNAMIC_DISPATCH(run_head)(head); }

}  // namespace tokensieve
#endif
