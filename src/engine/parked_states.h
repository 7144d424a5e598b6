#pragma once

#include <cstdint>
#include <vector>

#include "aligned_buffer.h"
#include "tokensieve/core/rows_view.h"
#include "tokensieve/core/token_plan.h"

namespace tokensieve {

/// The last live state of every token of a batch, by origin: where a row leaves, its state is
/// parked for the head that reads all tokens. Not for batches that samples leave.
class ParkedStates {
 public:
  /// Begins a batch whose tokens, prefix ones included, are the rows of `layout`. States are kept
  /// in `buffer`, which outlives this.
  ParkedStates(const RaggedLayout& layout, int64_t dim, AlignedBuffer& buffer);

  /// Parks what the plan drops; `state` `[rows, dim]` is that before it.
  void follow(const TokenPlan& plan, RowsView<const float> state);
  /// After the last block: every token, `[tokens, dim]`, in the order they came.
  RowsView<float> finish(const RaggedLayout& layout, RowsView<const float> state);

 private:
  void park(int64_t token, RowsView<const float> state, int64_t row);

  RaggedLayout tokens_;
  std::vector<int32_t> row_;  // [tokens] row of its sample, -1 once it is parked
  RowsView<float> store_;
};

}  // namespace tokensieve
