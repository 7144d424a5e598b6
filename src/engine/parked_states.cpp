#include "parked_states.h"

#include <algorithm>

namespace tokensieve {

ParkedStates::ParkedStates(const RaggedLayout& layout, int64_t dim, AlignedBuffer& buffer)
    : tokens_(layout), store_(buffer.rows<float>(layout.rows(), dim)) {
  for (int64_t b = 0; b < layout.batch(); ++b) {
    for (int32_t i = 0; i < layout.count(b); ++i) row_.push_back(i);
  }
}

void ParkedStates::park(int64_t token, RowsView<const float> state, int64_t row) {
  std::ranges::copy(state.row(row), store_.row(token).begin());
}

void ParkedStates::follow(const TokenPlan& plan, RowsView<const float> state) {
  for (int64_t b = 0; b < plan.batch(); ++b) {
    const std::vector<Destination> to = plan.destinations(b);
    for (int64_t token = tokens_.offset(b); token < tokens_.offset(b + 1); ++token) {
      int32_t& row = row_[static_cast<size_t>(token)];
      if (row < 0) continue;
      const int32_t next = to[static_cast<size_t>(row)].row;
      if (next < 0) park(token, state, plan.input_layout().offset(b) + row);
      row = next;
    }
  }
}

RowsView<float> ParkedStates::finish(const RaggedLayout& layout, RowsView<const float> state) {
  for (int64_t b = 0; b < layout.batch(); ++b) {
    for (int64_t token = tokens_.offset(b); token < tokens_.offset(b + 1); ++token) {
      const int32_t row = row_[static_cast<size_t>(token)];
      if (row >= 0) park(token, state, layout.offset(b) + row);
    }
  }
  return store_;
}

}  // namespace tokensieve
