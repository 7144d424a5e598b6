#pragma once

#include <cstdint>

namespace tokensieve {

/// Column sums are kept apart for every so many queries, so that how work is cut into tasks does
/// not change the order of additions.
constexpr int64_t kQueriesPerSum = 120;

/// Some queries of one head of one sample: what a thread does at a time.
struct AttentionHead {
  const float* queries = nullptr;  // first key row's query of this head, if rows are not chosen
  const int64_t* query_rows = nullptr;  // chosen packed rows, or null
  const float* keys = nullptr;
  const float* values = nullptr;
  int64_t stride = 0;  // between rows of queries, keys and values
  int64_t num_keys = 0;
  int64_t head_dim = 0;
  int64_t first_query = 0, last_query = 0;  // the first one a multiple of kQueriesPerSum
  const float* key_bias = nullptr;          // [num_keys] or null

  // Of a masked head that is computed pair by pair: keys that row r of the sample sees,
  // neighbours[offsets[r]] and on, ascending.
  const int64_t* neighbour_offsets = nullptr;
  const int32_t* neighbours = nullptr;
  // Of one that is computed whole: [num_keys, num_keys], 0 where a row does not see a key, with
  // room for whole vectors after it.
  const uint8_t* mask = nullptr;
  int64_t first_row = 0;  // to take off query_rows, which count packed rows
  bool hard = false;      // other keys are out of sight; otherwise their logits are 0

  float* out = nullptr;  // row 0 of the sample, or null
  int64_t out_stride = 0;
  float* class_row = nullptr;    // [num_keys] or null; filled from query 0
  float* column_sums = nullptr;  // [queries / kQueriesPerSum, num_keys] or null; added to
  float* output_norm = nullptr;  // [queries of the sample] or null

  float* scratch = nullptr;  // attention_head_scratch() floats
};

/// Floats of scratch a head with these sizes needs.
int64_t attention_head_scratch(int64_t num_keys, int64_t head_dim);

/// Softmax(q K^T + bias) V for the queries, best instruction set of the machine. With neighbours it
/// costs what these are, not every pair of query and key.
void attention_head(const AttentionHead& head);
/// The case with neighbours.
void local_attention_head(const AttentionHead& head);

}  // namespace tokensieve
