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

// A register tile is 6 rows x 2 vectors: its accumulators fill the FMA units and fit 16 registers.
// Keys and values are packed into panels two vectors wide, which stay in the first-level cache
// while kBlockRows queries pass over them.
constexpr int kTileRows = 6;
constexpr int kBlockRows = 4 * kTileRows;
static_assert(kQueriesPerSum % kBlockRows == 0);

HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(Tag())); }

// Columns of a matrix with room for whole vectors.
HWY_INLINE int64_t whole_vectors(int64_t cols) { return (cols + lanes() - 1) / lanes() * lanes(); }

// c[kRows][kVectors] = scale_r * sum_k a[r][k] * b[k][kVectors]
template <int kRows, int kVectors>
HWY_INLINE void tile(const float* const* a, const float* b, int64_t depth, float* const* c,
                     const float* scale) {
  const Tag d;
  const int64_t step = lanes();
  Vector sum[kRows][kVectors];
  for (auto& row : sum) {
    for (Vector& vector : row) vector = hn::Zero(d);
  }
  for (int64_t k = 0; k < depth; ++k, b += 2 * step) {
    Vector value[kVectors];
    for (int v = 0; v < kVectors; ++v) value[v] = hn::LoadU(d, b + v * step);
    for (int r = 0; r < kRows; ++r) {
      const Vector factor = hn::Set(d, a[r][k]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, value[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const Vector factor = hn::Set(d, scale[r]);
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(hn::Mul(sum[r][v], factor), d, c[r] + v * step);
    }
  }
}

template <int kVectors>
HWY_INLINE void tile_rows(int rows, const float* const* a, const float* b, int64_t depth,
                          float* const* c, const float* scale) {
  switch (rows) {
    case 6:
      return tile<6, kVectors>(a, b, depth, c, scale);
    case 5:
      return tile<5, kVectors>(a, b, depth, c, scale);
    case 4:
      return tile<4, kVectors>(a, b, depth, c, scale);
    case 3:
      return tile<3, kVectors>(a, b, depth, c, scale);
    case 2:
      return tile<2, kVectors>(a, b, depth, c, scale);
    default:
      return tile<1, kVectors>(a, b, depth, c, scale);
  }
}

// c[rows][cols] = scale_r * a[rows][depth] b[depth][cols]; `b` in panels, room for whole vectors in
// c.
void multiply(int rows, const float* const* a, const float* b, int64_t depth, int64_t cols,
              float* const* c, const float* scale) {
  const int64_t panel = 2 * lanes();
  float* to[kBlockRows];
  for (int64_t j = 0; j < cols; j += panel, b += depth * panel) {
    for (int r = 0; r < rows; ++r) to[r] = c[r] + j;
    for (int r = 0; r < rows; r += kTileRows) {
      const int count = std::min(kTileRows, rows - r);
      if (cols - j > lanes()) {
        tile_rows<2>(count, a + r, b, depth, to + r, scale + r);
      } else {
        tile_rows<1>(count, a + r, b, depth, to + r, scale + r);
      }
    }
  }
}

// Panels of the transposed keys: packed[panel][k][j] = keys[j][k], zero after the last key.
void pack_keys(const float* keys, int64_t stride, int64_t num_keys, int64_t head_dim,
               float* packed) {
  const int64_t panel = 2 * lanes();
  for (int64_t first = 0; first < num_keys; first += panel, packed += head_dim * panel) {
    const int64_t count = std::min(panel, num_keys - first);
    const float* rows = keys + first * stride;
    int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::FixedTag<float, 4> d;
    for (; j + 4 <= count; j += 4) {
      const float* row = rows + j * stride;
      int64_t k = 0;
      for (; k + 4 <= head_dim; k += 4) {
        const auto r0 = hn::LoadU(d, row + k), r1 = hn::LoadU(d, row + stride + k);
        const auto r2 = hn::LoadU(d, row + 2 * stride + k), r3 = hn::LoadU(d, row + 3 * stride + k);
        const auto l02 = hn::InterleaveLower(d, r0, r2), l13 = hn::InterleaveLower(d, r1, r3);
        const auto u02 = hn::InterleaveUpper(d, r0, r2), u13 = hn::InterleaveUpper(d, r1, r3);
        float* to = packed + k * panel + j;
        hn::StoreU(hn::InterleaveLower(d, l02, l13), d, to);
        hn::StoreU(hn::InterleaveUpper(d, l02, l13), d, to + panel);
        hn::StoreU(hn::InterleaveLower(d, u02, u13), d, to + 2 * panel);
        hn::StoreU(hn::InterleaveUpper(d, u02, u13), d, to + 3 * panel);
      }
      for (; k < head_dim; ++k) {
        for (int64_t i = 0; i < 4; ++i) packed[k * panel + j + i] = row[i * stride + k];
      }
    }
#endif
    for (int64_t k = 0; k < head_dim; ++k) {
      float* to = packed + k * panel;
      for (int64_t i = j; i < count; ++i) to[i] = rows[i * stride + k];
      std::fill(to + count, to + panel, 0.0f);
    }
  }
}

// Panels of the values: packed[panel][j][c] = values[j][c], zero after the last channel.
void pack_values(const float* values, int64_t stride, int64_t num_keys, int64_t head_dim,
                 float* packed) {
  const int64_t panel = 2 * lanes();
  for (int64_t first = 0; first < head_dim; first += panel) {
    const int64_t count = std::min(panel, head_dim - first);
    for (int64_t j = 0; j < num_keys; ++j, packed += panel) {
      std::copy_n(values + j * stride + first, count, packed);
      std::fill(packed + count, packed + panel, 0.0f);
    }
  }
}

// logits -> exp(logits - max), in place; returns the sum. The padding after num_keys takes no
// part.
float exponentials(float* logits, const float* key_bias, int64_t num_keys) {
  const Tag d;
  const int64_t padded = whole_vectors(num_keys);
  if (key_bias) {
    for (int64_t j = 0; j < num_keys; ++j) logits[j] += key_bias[j];
  }
  std::fill(logits + num_keys, logits + padded, -1e30f);
  Vector highest = hn::LoadU(d, logits);
  for (int64_t j = lanes(); j < padded; j += lanes()) {
    highest = hn::Max(highest, hn::LoadU(d, logits + j));
  }
  highest = hn::MaxOfLanes(d, highest);
  Vector sum = hn::Zero(d);
  for (int64_t j = 0; j < padded; j += lanes()) {
    const Vector e = exp_nonpositive(d, hn::Sub(hn::LoadU(d, logits + j), highest));
    sum = hn::Add(sum, e);
    hn::StoreU(e, d, logits + j);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// What a site asked for of `count` queries from `first` on; `p` times `inverse` are probabilities.
void hand_over(const AttentionHead& head, int64_t first, int count, float* const* p,
               const float* inverse) {
  const int64_t n = head.num_keys;
  if (head.class_row && first == 0) {
    for (int64_t j = 0; j < n; ++j) head.class_row[j] = p[0][j] * inverse[0];
  }
  if (!head.column_sums) return;
  float* sums = head.column_sums + first / kQueriesPerSum * n;
  for (int r = 0; r < count; ++r) {
    for (int64_t j = 0; j < n; ++j) sums[j] += p[r][j] * inverse[r];
  }
}

void write_rows(const AttentionHead& head, int64_t first, int count, const float* const* rows) {
  for (int r = 0; r < count; ++r) {
    float* to = head.out + (first + r) * head.out_stride;
    std::copy_n(rows[r], head.head_dim, to);
    if (!head.output_norm) continue;
    float squares = 0.0f;
    for (int64_t k = 0; k < head.head_dim; ++k) squares += to[k] * to[k];
    head.output_norm[first + r] = std::sqrt(squares);
  }
}

// Sets the logits of keys that a masked head's query does not see to what they count as. Spoils the
// padding after num_keys.
void mask_logits(const AttentionHead& head, int64_t query, float* logits) {
  const Tag d;
  const hn::RebindToSigned<Tag> di;
  const hn::Rebind<uint8_t, Tag> bytes;
  const int64_t row = head.query_rows ? head.query_rows[query] - head.first_row : query;
  const uint8_t* const mask = head.mask + row * head.num_keys;
  const Vector far = hn::Set(d, head.hard ? -1e30f : 0.0f);
  for (int64_t j = 0; j < head.num_keys; j += lanes()) {
    const auto sees = hn::PromoteTo(di, hn::LoadU(bytes, mask + j));
    const auto near = hn::RebindMask(d, hn::Ne(sees, hn::Zero(di)));
    hn::StoreU(hn::IfThenElse(near, hn::LoadU(d, logits + j), far), d, logits + j);
  }
}

void run_head(const AttentionHead& head) {
  const int64_t n = head.num_keys, dim = head.head_dim, panel = 2 * lanes();
  const auto panels = [&](int64_t cols) { return (cols + panel - 1) / panel * panel; };
  float* keys = head.scratch;
  float* values = keys + dim * panels(n);
  float* logits = values + n * panels(dim);
  float* rows = logits + kBlockRows * panels(n);
  pack_keys(head.keys, head.stride, n, dim, keys);
  if (head.out) pack_values(head.values, head.stride, n, dim, values);

  float ones[kBlockRows], inverse[kBlockRows];
  std::fill_n(ones, kBlockRows, 1.0f);
  const float* query[kBlockRows];
  float* p[kBlockRows];
  float* out[kBlockRows];
  for (int r = 0; r < kBlockRows; ++r) {
    p[r] = logits + r * panels(n);
    out[r] = rows + r * panels(dim);
  }
  for (int64_t first = head.first_query; first < head.last_query; first += kBlockRows) {
    const int count = static_cast<int>(std::min<int64_t>(kBlockRows, head.last_query - first));
    for (int r = 0; r < count; ++r) {
      const int64_t q = first + r;
      query[r] = head.queries + (head.query_rows ? head.query_rows[q] : q) * head.stride;
    }
    multiply(count, query, keys, dim, n, p, ones);
    for (int r = 0; head.mask && r < count; ++r) mask_logits(head, first + r, p[r]);
    for (int r = 0; r < count; ++r) inverse[r] = 1.0f / exponentials(p[r], head.key_bias, n);
    hand_over(head, first, count, p, inverse);
    if (!head.out) continue;
    multiply(count, p, values, n, dim, out, inverse);
    write_rows(head, first, count, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tokensieve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tokensieve {

HWY_EXPORT(run_head);

int64_t attention_head_scratch(int64_t num_keys, int64_t head_dim) {
  // Enough for panels of the widest vectors, 16 floats.
  const int64_t keys = (num_keys + 31) / 32 * 32, dim = (head_dim + 31) / 32 * 32;
  constexpr int64_t kRows = 24;
  return head_dim * keys + num_keys * dim + kRows * (keys + dim);
}

void attention_head(const AttentionHead& head) {
  if (head.neighbours) return local_attention_head(head);
  HWY_DYNAMIC_DISPATCH(run_head)(head);
}

}  // namespace tokensieve
#endif
