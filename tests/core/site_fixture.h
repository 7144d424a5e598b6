#pragma once

#include <cstdint>
#include <vector>

#include "tokensieve/core/reducer.h"

namespace tokensieve::test {

/// A batch at a site, with everything a SiteInput points at. Scores stand in every attention
/// column.
struct SiteFixture {
  SiteFixture(std::vector<int64_t> counts, int prefix, std::vector<float> scores)
      : layout(RaggedLayout::from_counts(counts)), num_prefix_tokens(prefix), values(scores) {
    columns.reset(layout, prefix);
    for (size_t sample = 0; sample < counts.size(); ++sample) {
      input_counts.push_back(counts[sample] - prefix);
      sample_keys.push_back(1000 + sample);
    }
    attention.class_row = values;
    attention.column_mean = values;
  }
  SiteFixture(const SiteFixture&) = delete;

  SiteInput input() const {
    return {.layout = layout,
            .state = {},
            .columns = columns,
            .attention = attention,
            .input_counts = input_counts,
            .sample_keys = sample_keys,
            .num_prefix_tokens = num_prefix_tokens,
            .site = {3, SitePosition::after_attention},
            .site_index = site_index};
  }

  RaggedLayout layout;
  int num_prefix_tokens;
  std::vector<float> values;
  RowColumns columns;
  AttentionTrace attention;
  std::vector<int64_t> input_counts;
  std::vector<uint64_t> sample_keys;
  int site_index = 0;
};

/// Input row of each output row of a sample, -1 for a sum.
inline std::vector<int64_t> rows_of(const TokenPlan& plan, int64_t sample) {
  std::vector<int64_t> rows;
  for (int64_t row = plan.output_layout().offset(sample);
       row < plan.output_layout().offset(sample + 1); ++row) {
    const int64_t copied = plan.copied_row(row);
    rows.push_back(copied < 0 ? -1 : copied - plan.input_layout().offset(sample));
  }
  return rows;
}

}  // namespace tokensieve::test
