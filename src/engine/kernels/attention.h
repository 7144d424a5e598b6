#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tokensieve/core/attention_masks.h"
#include "tokensieve/core/ragged_layout.h"
#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// Neighbourhoods as tables, for samples whose masked heads are not computed pair by pair.
struct NeighbourTables {
  std::vector<int64_t> offsets;  ///< [batch] of each sample's table in `values`, or -1.
  std::vector<uint8_t> values;   ///< [rows, rows] each, 1 where a row sees a key.

  /// Written over: a table for each sample in which pairs_pay() is false.
  void fill(const Neighbourhoods& neighbourhoods, const RaggedLayout& layout);
};

/// Multi-head attention over ragged samples, in float32. Every sample attends to its own rows only.
struct AttentionInput {
  RowsView<const float> qkv;  ///< [rows, 3 * heads * head_dim]; queries are scaled already.
  int num_heads = 0;
  int head_dim = 0;
  const RaggedLayout* layout = nullptr;  ///< Keys and values, and queries unless chosen below.
  /// Queries that are computed: packed row of each output row, samples in order by `query_layout`.
  /// Null: all rows.
  const RaggedLayout* query_layout = nullptr;
  const int64_t* query_rows = nullptr;
  std::span<const float>
      key_bias;  ///< [rows] added to the logits of a key (ToMe's log size), or empty.
  /// Heads that see their neighbourhood only, ascending; `neighbourhoods` says what that is.
  std::span<const int> masked_heads;
  const Neighbourhoods* neighbourhoods = nullptr;
  const NeighbourTables* tables = nullptr;  ///< Of these neighbourhoods.
  bool hard = false;  ///< Other keys are out of sight; otherwise their logits are 0 (MaiT).
};

/// Where to write the output and the by-products; what is empty is not computed.
struct AttentionOutput {
  RowsView<float> rows;                ///< [query rows, heads * head_dim]; data null: trace only.
  RowsView<float> class_row_per_head;  ///< [heads, key rows], from query 0 of a sample.
  std::span<float> column_mean;        ///< [key rows] over heads and queries.
  RowsView<float> output_norm;         ///< [heads, query rows]
};

/// Memory that attention() borrows; grows, never shrinks.
struct AttentionScratch {
  struct Task {
    int64_t sample, head, first_query, last_query;
    int64_t sums;  // where the column sums of the head begin
  };
  std::vector<Task> tasks;
  std::vector<float> threads;      // packed keys and logits of each thread
  std::vector<float> column_sums;  // for each sample and head, [queries / kQueriesPerSum, keys]
  int64_t num_sums = 0;
};

/// Runs attention on the calling thread's OpenMP team. Results do not depend on the team's size.
void attention(const AttentionInput& input, const AttentionOutput& output,
               AttentionScratch& scratch);

/// Ten plain lines that say what attention() computes; the oracle of its tests.
void attention_plain(const AttentionInput& input, const AttentionOutput& output);

}  // namespace tokensieve
