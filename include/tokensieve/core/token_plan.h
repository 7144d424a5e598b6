#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tokensieve/core/ragged_layout.h"
#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// One term of an output row: `weight` times row `row` of the same sample (0-based in that sample,
/// prefix tokens included).
struct Source {
  int32_t row = 0;
  float weight = 1.0f;

  bool operator==(const Source&) const = default;
};

/// Where an input row of a sample goes: the output row of the same sample and its weight there.
struct Destination {
  int32_t row = -1;  ///< -1: nowhere, it is dropped.
  float weight = 0.0f;

  bool operator==(const Destination&) const = default;
};

/// What a site decided: for each sample of the batch a list of output rows, each a weighted sum of
/// input rows. A kept token is one source of weight 1; a fused or merged token has several sources;
/// a row that no output row names is dropped. Row order belongs to the method.
///
/// A plan is decided once and then applied to the hidden state, every row column, the layout and
/// the trace alike, so that they can never disagree. Whoever applies a plan trusts it: validate()
/// one that comes from a method first.
class TokenPlan {
 public:
  /// Makes room for `batch` samples and `rows` sources, so that building need not allocate.
  void reserve(int64_t batch, int64_t rows);
  /// Starts the next sample, which has `input_count` rows.
  void begin_sample(int64_t input_count);
  /// Adds an output row that is row `row` of the current sample, unchanged. Throws
  /// std::invalid_argument before the first sample; whether the row exists is for validate() to
  /// say.
  void keep(int32_t row);
  /// Adds an output row that is the weighted sum of `sources`. Throws std::invalid_argument when
  /// there are none, or before the first sample.
  void combine(std::span<const Source> sources);
  /// The plan that keeps every row of `layout` in place.
  static TokenPlan identity(const RaggedLayout& layout);

  int64_t batch() const { return output_.batch(); }
  const RaggedLayout& input_layout() const { return input_; }
  const RaggedLayout& output_layout() const { return output_; }
  /// Sources of packed output row `row`, 0 <= row < output_layout().rows().
  std::span<const Source> sources(int64_t row) const;
  /// For each input row of `sample` where it goes, the first place if there are several.
  std::vector<Destination> destinations(int64_t sample) const;
  /// True when output row `row` is one input row with weight 1.
  bool is_copy(int64_t row) const;
  /// True when every sample keeps every row, in place.
  bool is_identity() const;
  /// True when every output row is a copy, so that query rows alone can follow the plan.
  bool is_gather() const;

  /// Throws std::invalid_argument unless the plan reads `layout`, every source row exists, every
  /// weight is finite and the first `num_prefix_tokens` rows of every sample stay in front,
  /// unchanged.
  void validate(const RaggedLayout& layout, int num_prefix_tokens) const;

  /// Writes the output rows `[output_layout().rows(), cols]` to `out`: copies are bit-exact, other
  /// rows are float32 sums in source order. `out` must not overlap `in`. Throws
  /// std::invalid_argument when the views do not have the plan's rows and equal columns.
  void apply(RowsView<const float> in, RowsView<float> out) const;

  /// Packed input row of packed output row `row`, which must be a copy.
  int64_t copied_row(int64_t row) const { return copied_rows_[static_cast<size_t>(row)]; }
  /// For each output row the packed input row that it copies, or -1 when it is a sum.
  std::span<const int64_t> copied_rows() const { return copied_rows_; }

 private:
  RaggedLayout input_;
  RaggedLayout output_;
  std::vector<int64_t> source_offsets_ = {0};  // [output rows + 1]
  std::vector<Source> sources_;
  std::vector<int64_t> copied_rows_;  // [output rows]
};

}  // namespace tokensieve
