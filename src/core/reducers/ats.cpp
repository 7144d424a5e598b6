#include "tokensieve/core/ats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "selectors/per_site.h"
#include "selectors/ranking.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr int64_t kLeastDraws = 8;  // as the authors' code has it: fewer would miss the best row

/// How many of `draws` evenly spaced numbers pick each position. Scores that are not numbers above
/// 0 count as 0; if all do, each position is picked once.
std::vector<int32_t> sample_positions(std::span<const float> scores, int64_t draws) {
  std::vector<uint64_t> ranked = rank_keys(scores);
  // The lowest score first, and of equal ones the first.
  std::ranges::sort(ranked, [](uint64_t a, uint64_t b) {
    return a >> 32 != b >> 32 ? a >> 32 > b >> 32 : a < b;
  });
  std::vector<double> sums;
  double sum = 0.0;
  for (const uint64_t key : ranked) {
    const float score = scores[ranked_position(key)];
    sums.push_back(sum += score > 0.0f ? score : 0.0);
  }
  const double lowest = sums.front(), range = sums.back() - lowest;
  if (!(range > 0.0) || !std::isfinite(range)) return std::vector<int32_t>(scores.size(), 1);
  double start = 1.0;  // the smallest sum above 0
  for (double& value : sums) {
    value = (value - lowest) / range;
    if (value > 0.0) start = std::min(start, value);
  }

  std::vector<int32_t> picked(scores.size(), 0);
  const double step = (1.0 - start) / static_cast<double>(draws - 1);
  for (int64_t k = 0; k < draws; ++k) {
    const double number = start + static_cast<double>(k) * step;
    const auto above = std::ranges::lower_bound(sums, number);
    size_t nearest = static_cast<size_t>(above - sums.begin());
    if (above == sums.end() || (nearest > 0 && number - sums[nearest - 1] <= *above - number)) {
      // The first of equal sums, as argmin has it.
      nearest =
          static_cast<size_t>(std::ranges::lower_bound(sums, sums[nearest - 1]) - sums.begin());
    }
    ++picked[ranked_position(ranked[nearest])];
  }
  return picked;
}

class AtsReducer final : public Reducer {
 public:
  explicit AtsReducer(std::vector<double> keep) : keep_("[ats] expected keep", std::move(keep)) {
    keep_.check_fractions();
  }

  AttentionRequest attention_request() const override {
    return AttentionRequest::class_row | AttentionRequest::value_norm;
  }
  bool keeps_everything(int) const override { return false; }

  Reduction reduce(const SiteInput& input) const override {
    const AttentionTrace& trace = input.attention;
    const auto rows = static_cast<size_t>(input.layout.rows());
    check_argument(trace.class_row.size() == rows && trace.value_norm.size() == rows,
                   "[ats] expected a class row and value norms of ", rows, " values, got ",
                   trace.class_row.size(), " and ", trace.value_norm.size());
    check_argument(std::ssize(input.input_counts) == input.layout.batch(), "[ats] expected ",
                   input.layout.batch(), " input counts, got ", input.input_counts.size());
    const auto prefix = static_cast<size_t>(input.num_prefix_tokens);
    Reduction reduction;
    reduction.score_name = "class attention x value norm";
    reduction.scores.assign(rows, std::numeric_limits<float>::quiet_NaN());
    reduction.draws.assign(rows, 0);
    reduction.plan.reserve(input.layout.batch(), input.layout.rows());
    for (int64_t sample = 0; sample < input.layout.batch(); ++sample) {
      const auto first = static_cast<size_t>(input.layout.offset(sample));
      const auto count = static_cast<size_t>(input.layout.count(sample));
      check_argument(count >= prefix, "[ats] expected at least the ", prefix,
                     " prefix rows in sample ", sample, ", got ", count);
      for (size_t row = first + prefix; row < first + count; ++row) {
        reduction.scores[row] = trace.class_row[row] * trace.value_norm[row];
      }
      reduction.plan.begin_sample(static_cast<int64_t>(count));
      for (size_t row = 0; row < prefix; ++row) reduction.plan.keep(static_cast<int32_t>(row));
      if (count == prefix) continue;
      const double tokens = static_cast<double>(input.input_counts[static_cast<size_t>(sample)]);
      const auto draws =
          std::max<int64_t>(kLeastDraws, std::llround(keep_.at(input.site_index) * tokens));
      const auto own =
          std::span<const float>(reduction.scores).subspan(first + prefix, count - prefix);
      const std::vector<int32_t> picked = sample_positions(own, draws);
      std::ranges::copy(picked,
                        reduction.draws.begin() + static_cast<std::ptrdiff_t>(first + prefix));
      for (size_t position = 0; position < picked.size(); ++position) {
        if (picked[position] == 0) continue;
        reduction.plan.keep(static_cast<int32_t>(position + prefix));
      }
    }
    return reduction;
  }

 private:
  PerSite keep_;
};

}  // namespace

std::unique_ptr<Reducer> ats_reducer(std::vector<double> keep) {
  return std::make_unique<AtsReducer>(std::move(keep));
}

}  // namespace tokensieve
