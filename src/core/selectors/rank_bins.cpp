#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "selectors/ranking.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {
namespace {

/// What ToP's own code adds to the count, so that no rank reaches the bin behind the last.
constexpr double kSlack = 1e-6;

class RankBinsSelector final : public Selector {
 public:
  explicit RankBinsSelector(std::vector<std::vector<bool>> bins) : bins_(std::move(bins)) {
    check_argument(!bins_.empty(), "[rank_bins] expected bins for each site, got none");
    for (const std::vector<bool>& site : bins_) {
      check_argument(!site.empty() && site.size() == bins_.front().size(), "[rank_bins] expected ",
                     bins_.front().size(), " bins (at least one) at each site, got ", site.size());
    }
  }

  bool has_fixed_count() const override { return true; }

  bool keeps_everything(int site_index) const override {
    const std::vector<bool>& bins = at(site_index);
    return std::find(bins.begin(), bins.end(), false) == bins.end();
  }

  std::vector<int32_t> select(const Candidates& candidates) const override {
    const std::vector<uint64_t> keys = rank_keys(candidates.ranked_by());
    if (keys.empty()) return {};
    std::vector<uint64_t> ranked = keys;
    std::sort(ranked.begin(), ranked.end());
    const std::vector<bool>& bins = at(candidates.site_index);
    const auto count = static_cast<double>(bins.size());
    const double present = static_cast<double>(ranked.size()) + kSlack;
    std::vector<int32_t> kept;
    for (size_t rank = 0; rank < ranked.size(); ++rank) {
      const auto bin = static_cast<size_t>(static_cast<double>(rank) / present * count);
      if (bins[bin]) kept.push_back(static_cast<int32_t>(ranked_position(ranked[rank])));
    }
    if (kept.empty()) kept.push_back(static_cast<int32_t>(ranked_position(ranked.front())));
    std::sort(kept.begin(), kept.end());
    return kept;
  }

 private:
  const std::vector<bool>& at(int site_index) const {
    if (bins_.size() == 1) return bins_.front();
    check_argument(site_index >= 0 && static_cast<size_t>(site_index) < bins_.size(),
                   "[rank_bins] expected bins for site ", site_index, ", got ", bins_.size(),
                   " lists; give one, or one for each site");
    return bins_[static_cast<size_t>(site_index)];
  }

  std::vector<std::vector<bool>> bins_;
};

}  // namespace

std::unique_ptr<Selector> rank_bins_selector(std::vector<std::vector<bool>> bins) {
  return std::make_unique<RankBinsSelector>(std::move(bins));
}

}  // namespace tokensieve
