#pragma once

#include <span>
#include <vector>

#include "aligned_buffer.h"
#include "kernels/attention.h"
#include "tokensieve/core/attention_trace.h"
#include "tokensieve/core/token_plan.h"

namespace tokensieve {

/// Owns what one attention hands over to the sites after it, and moves it with the rows.
class AttentionRecord {
 public:
  /// Makes room for what `request` names and returns where attention() is to write it.
  AttentionOutput prepare(AttentionRequest request, int num_heads, const RaggedLayout& layout);
  /// After attention() has run: derives the rest (head means, norms of values, mean keys).
  void finish(const AttentionInput& input);
  /// Follows a plan: copies copy, a combined row gets the sum of its sources' values.
  void apply(const TokenPlan& plan);
  /// Keeps the rows of some samples of `layout` only, by ascending position in the batch.
  void select(const RaggedLayout& layout, std::span<const int64_t> samples);
  /// Forgets everything: nothing is asked of the next attention.
  void clear() { request_ = AttentionRequest::none; }

  /// Views of what was asked for; valid until the next call of any other member.
  AttentionTrace view() const;

 private:
  // A table [lines, rows], one line a head or a channel.
  struct Table {
    int64_t lines = 0;
    std::vector<float> values;
  };
  void move(Table& table, const TokenPlan& plan);

  AttentionRequest request_ = AttentionRequest::none;
  std::vector<int64_t> query_counts_;
  int64_t rows_ = 0;
  int64_t head_dim_ = 0;
  Table class_row_, class_row_per_head_, column_mean_, value_norm_, output_norm_, mean_key_;
  std::vector<float> moved_;
};

}  // namespace tokensieve
