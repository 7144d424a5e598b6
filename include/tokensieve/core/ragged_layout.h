#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tokensieve {

/// Where the rows of each sample lie in a packed batch: sample `b` owns rows
/// `[offset(b), offset(b) + count(b))` of one `[rows, dim]` matrix. Samples may hold different
/// numbers of rows; there is no padding anywhere.
class RaggedLayout {
 public:
  RaggedLayout() = default;

  /// `batch` samples of `count` rows each. Throws std::invalid_argument on a negative size.
  static RaggedLayout uniform(int64_t batch, int64_t count);

  /// One sample for each entry of `counts`, in order. Throws std::invalid_argument on a negative
  /// count or when the sum overflows.
  static RaggedLayout from_counts(std::span<const int64_t> counts);

  int64_t batch() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  /// Rows of all samples together.
  int64_t rows() const { return offsets_.back(); }
  int64_t offset(int64_t sample) const { return offsets_[static_cast<size_t>(sample)]; }
  int64_t count(int64_t sample) const { return offset(sample + 1) - offset(sample); }
  /// The largest count of a sample, 0 for an empty batch.
  int64_t max_count() const;
  /// `[batch + 1]` row offsets, the first 0, the last rows().
  std::span<const int64_t> offsets() const { return offsets_; }

  /// The layout of some of the samples, packed anew. Throws std::invalid_argument unless `samples`
  /// are ascending positions in the batch.
  RaggedLayout select(std::span<const int64_t> samples) const;

  /// Appends a sample of `count` rows at the end. Throws std::invalid_argument as from_counts does.
  void push_back(int64_t count);
  /// Adds `count` rows to the last sample. Throws std::invalid_argument when there is no sample.
  void extend_last(int64_t count);
  /// Makes room for `batch` samples, so that push_back need not allocate.
  void reserve(int64_t batch) { offsets_.reserve(static_cast<size_t>(batch) + 1); }
  /// Forgets every sample and keeps the memory.
  void clear() { offsets_.resize(1); }

  bool operator==(const RaggedLayout&) const = default;

 private:
  std::vector<int64_t> offsets_ = {0};
};

}  // namespace tokensieve
