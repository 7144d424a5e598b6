#include "tokensieve/core/ragged_layout.h"

#include <algorithm>
#include <limits>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// `rows + count`, checked.
int64_t grown(int64_t rows, int64_t count) {
  check_argument(count >= 0, "[ragged_layout] expected a count of at least 0, got ", count);
  check_argument(count <= std::numeric_limits<int64_t>::max() - rows,
                 "[ragged_layout] expected a sum of counts that fits 64 bits, got ", rows, " + ",
                 count);
  return rows + count;
}

}  // namespace

RaggedLayout RaggedLayout::uniform(int64_t batch, int64_t count) {
  check_argument(batch >= 0, "[ragged_layout] expected a batch of at least 0, got ", batch);
  RaggedLayout layout;
  layout.reserve(batch);
  for (int64_t sample = 0; sample < batch; ++sample) layout.push_back(count);
  return layout;
}

RaggedLayout RaggedLayout::from_counts(std::span<const int64_t> counts) {
  RaggedLayout layout;
  layout.reserve(static_cast<int64_t>(counts.size()));
  for (const int64_t count : counts) layout.push_back(count);
  return layout;
}

int64_t RaggedLayout::max_count() const {
  int64_t largest = 0;
  for (int64_t sample = 0; sample < batch(); ++sample) largest = std::max(largest, count(sample));
  return largest;
}

void RaggedLayout::push_back(int64_t count) { offsets_.push_back(grown(rows(), count)); }

void RaggedLayout::extend_last(int64_t count) {
  check_argument(batch() > 0, "[ragged_layout] expected a sample to extend, got an empty layout");
  offsets_.back() = grown(rows(), count);
}

RaggedLayout RaggedLayout::select(std::span<const int64_t> samples) const {
  RaggedLayout selected;
  selected.reserve(static_cast<int64_t>(samples.size()));
  int64_t least = 0;
  for (const int64_t sample : samples) {
    check_argument(sample >= least && sample < batch(),
                   "[ragged_layout] expected ascending samples below ", batch(), ", got ", sample);
    selected.push_back(count(sample));
    least = sample + 1;
  }
  return selected;
}

}  // namespace tokensieve
