#include <algorithm>
#include <utility>

#include "selectors/ranking.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/rank_bins.h"

namespace tokensieve {
namespace {

constexpr double kRankEps = 1e-6;
constexpr size_t kMaxBins = 1000;

class RankBinsSelector final : public Selector {
 public:
  explicit RankBinsSelector(RankBins bins) : bins_(std::move(bins)) {
    check_argument(!bins_.empty(), "[rank_bins] expected the bins of one site or more");
    for (const std::vector<bool>& site : bins_) {
      check_argument(!site.empty() && site.size() <= kMaxBins, "[rank_bins] expected 1 to ",
                     kMaxBins, " bins a site, got ", site.size());
    }
  }

  bool has_fixed_count() const override { return true; }

  bool keeps_everything(int site_index) const override {
    return std::ranges::all_of(of_site(site_index), [](bool kept) { return kept; });
  }

  std::vector<int32_t> select(const Candidates& candidates) const override {
    const std::vector<bool>& bins = of_site(candidates.site_index);
    const size_t count = candidates.scores.size();
    std::vector<uint64_t> ranked = rank_keys(candidates.ranked_by());
    std::ranges::sort(ranked);
    std::vector<int32_t> kept;
    for (size_t rank = 0; rank < count; ++rank) {
      const double share = static_cast<double>(rank) / (static_cast<double>(count) + kRankEps);
      const auto bin = static_cast<size_t>(share * static_cast<double>(bins.size()));
      if (bins[bin]) kept.push_back(static_cast<int32_t>(ranked_position(ranked[rank])));
    }
    if (kept.empty() && count > 0) kept.push_back(static_cast<int32_t>(ranked_position(ranked[0])));
    std::ranges::sort(kept);
    return kept;
  }

 private:
  const std::vector<bool>& of_site(int site_index) const {
    check_argument(site_index >= 0 && site_index < std::ssize(bins_),
                   "[rank_bins] expected bins for site ", site_index, ", got ", bins_.size(),
                   " sites");
    return bins_[static_cast<size_t>(site_index)];
  }

  RankBins bins_;
};

}  // namespace

RankBins parse_rank_bins(std::string_view text) {
  RankBins bins(1);
  for (const char sign : text) {
    check_argument(sign == '0' || sign == '1' || sign == '/',
                   "[rank_bins] expected bins such as 1110/1100, got '", text, "'");
    if (sign == '/') {
      bins.emplace_back();
    } else {
      bins.back().push_back(sign == '1');
    }
  }
  for (const std::vector<bool>& site : bins) {
    check_argument(!site.empty(), "[rank_bins] expected bins such as 1110/1100, got '", text, "'");
  }
  return bins;
}

std::string rank_bins_text(const RankBins& bins) {
  std::string text;
  for (const std::vector<bool>& site : bins) {
    if (!text.empty()) text += '/';
    for (const bool stays : site) text += stays ? '1' : '0';
  }
  return text;
}

std::unique_ptr<Selector> rank_bins_selector(RankBins bins) {
  return std::make_unique<RankBinsSelector>(std::move(bins));
}

}  // namespace tokensieve
