#pragma once

#include <cstdint>
#include <span>

#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// What a site asks of the attention that ran before it, as a set of flags. Attention hands it over
/// from the same pass that computes its output; what nobody asked for is never materialised.
enum class AttentionRequest : unsigned {
  none = 0,
  class_row = 1u << 0,           ///< A[class, j], mean over heads.
  class_row_per_head = 1u << 1,  ///< A[h, class, j].
  column_mean = 1u << 2,         ///< Attention received: A[h, i, j], mean over heads and live i.
  value_norm = 1u << 3,          ///< |v_j|, heads concatenated (ATS).
  output_norm = 1u << 4,         ///< |(A_h V_h)_i| per head (AS-ViT).
  mean_key = 1u << 5,            ///< k_j, mean over heads (ToMe).
};

constexpr AttentionRequest operator|(AttentionRequest a, AttentionRequest b) {
  return static_cast<AttentionRequest>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
/// True when `set` asks for any of `flags`.
constexpr bool asks_for(AttentionRequest set, AttentionRequest flags) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(flags)) != 0;
}

/// The requested by-products of one attention, over the packed rows of the batch. A span whose
/// flag was not set may be empty. Probabilities are post-softmax; the class row is row 0 of a
/// sample.
struct AttentionTrace {
  std::span<const float> class_row;          // [rows]
  RowsView<const float> class_row_per_head;  // [heads, rows]
  std::span<const float> column_mean;        // [rows]
  std::span<const int64_t> query_counts;     // [samples] live queries that column_mean is over
  std::span<const float> value_norm;         // [rows]
  RowsView<const float> output_norm;         // [heads, rows]
  RowsView<const float> mean_key;            // [rows, head_dim]
};

}  // namespace tokensieve
