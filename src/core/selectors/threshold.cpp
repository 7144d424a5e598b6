#include <cmath>
#include <utility>

#include "selectors/per_site.h"
#include "selectors/ranking.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {
namespace {

/// Mean of the scores that are numbers, 0 if none is.
double mean_score(std::span<const float> scores) {
  double sum = 0.0;
  int64_t count = 0;
  for (const float score : scores) {
    if (std::isnan(score)) continue;
    sum += score;
    ++count;
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

class ThresholdSelector final : public Selector {
 public:
  ThresholdSelector(std::vector<double> threshold, ThresholdOf of)
      : threshold_("[threshold] expected threshold", std::move(threshold)), of_(of) {
    threshold_.check_finite();
  }

  bool keeps_everything(int) const override { return false; }

  std::vector<int32_t> select(const Candidates& candidates) const override {
    const std::span<const float> scores = candidates.scores;
    // Compared in float32, so that a score equal to the written threshold reaches it.
    const double unit = of_ == ThresholdOf::mean ? mean_score(scores) : 1.0;
    const auto limit = static_cast<float>(threshold_.at(candidates.site_index) * unit);
    std::vector<int32_t> kept;
    kept.reserve(scores.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] >= limit) kept.push_back(static_cast<int32_t>(i));
    }
    if (kept.empty() && !scores.empty()) kept.push_back(best_position(candidates.ranked_by()));
    return kept;
  }

 private:
  PerSite threshold_;
  ThresholdOf of_;
};

}  // namespace

std::vector<double> rising_thresholds(double last, int64_t num_sites) {
  std::vector<double> thresholds;
  for (int64_t site = 1; site <= num_sites; ++site) {
    thresholds.push_back(last * static_cast<double>(site) / static_cast<double>(num_sites + 1));
  }
  return thresholds;
}

std::unique_ptr<Selector> threshold_selector(std::vector<double> threshold, ThresholdOf of) {
  return std::make_unique<ThresholdSelector>(std::move(threshold), of);
}

}  // namespace tokensieve
