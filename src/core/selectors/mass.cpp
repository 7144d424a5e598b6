#include <algorithm>
#include <utility>

#include "selectors/per_site.h"
#include "selectors/ranking.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {
namespace {

// Part of the sum that rounding may take from the mass that was asked for.
constexpr double kSlack = 1e-6;

/// What a score adds to the sum: nothing if negative or NaN.
double mass_of(float score) { return score > 0.0f ? score : 0.0; }

class MassSelector final : public Selector {
 public:
  explicit MassSelector(std::vector<double> mass) : mass_("[mass] expected mass", std::move(mass)) {
    mass_.check_fractions();
  }

  bool keeps_everything(int site_index) const override { return mass_.at(site_index) == 1.0; }

  std::vector<int32_t> select(const Candidates& candidates) const override {
    const std::span<const float> scores = candidates.scores;
    const double mass = mass_.at(candidates.site_index);
    if (scores.empty() || mass == 1.0) return all_positions(scores.size());
    double total = 0.0;
    for (const float score : scores) total += mass_of(score);

    const std::vector<uint64_t> keys = rank_keys(candidates.ranked_by());
    std::vector<uint64_t> ranked = keys;
    std::sort(ranked.begin(), ranked.end());
    const double goal = (mass - kSlack) * total;
    size_t last = 0;
    double held = mass_of(scores[ranked_position(ranked[last])]);
    while (held < goal && last + 1 < ranked.size()) {
      held += mass_of(scores[ranked_position(ranked[++last])]);
    }
    return positions_up_to(ranked[last], keys);
  }

 private:
  PerSite mass_;
};

}  // namespace

std::unique_ptr<Selector> mass_selector(std::vector<double> mass) {
  return std::make_unique<MassSelector>(std::move(mass));
}

}  // namespace tokensieve
