#include <algorithm>
#include <cmath>
#include <utility>

#include "selectors/per_site.h"
#include "selectors/ranking.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {
namespace {

class TopKSelector final : public Selector {
 public:
  TopKSelector(std::vector<double> keep, TopKOptions options)
      : keep_("[top_k] expected keep", std::move(keep)), options_(options) {
    keep_.check_fractions();
  }

  bool has_fixed_count() const override { return true; }

  bool keeps_everything(int site_index) const override { return rate(site_index) == 1.0; }

  std::vector<int32_t> select(const Candidates& candidates) const override {
    const size_t present = candidates.scores.size();
    const size_t kept = count(candidates);
    if (kept == present) return all_positions(present);
    const std::vector<uint64_t> keys = rank_keys(candidates.ranked_by());
    std::vector<uint64_t> ranked = keys;
    const auto worst_kept = ranked.begin() + static_cast<std::ptrdiff_t>(kept) - 1;
    std::nth_element(ranked.begin(), worst_kept, ranked.end());
    return positions_up_to(*worst_kept, keys);
  }

 private:
  /// The fraction that stays after this site, of what `options_.of` says.
  double rate(int site_index) const {
    if (options_.of == TopKOptions::Of::present) return keep_.at(site_index);
    // In double and by pow, as DynamicViT's own code computes it.
    if (keep_.is_single()) return std::pow(keep_.at(site_index), site_index + 1);
    double product = 1.0;
    for (int site = 0; site <= site_index; ++site) product *= keep_.at(site);
    return product;
  }

  /// How many of the rows present stay: at least one if there is one.
  size_t count(const Candidates& candidates) const {
    const auto present = static_cast<double>(candidates.scores.size());
    const bool of_input = options_.of == TopKOptions::Of::input;
    const double exact = rate(candidates.site_index) *
                         (of_input ? static_cast<double>(candidates.input_count) : present);
    const double whole =
        options_.round == TopKOptions::Round::ceil ? std::ceil(exact) : std::floor(exact);
    return static_cast<size_t>(std::min(std::max(whole, 1.0), present));
  }

  PerSite keep_;
  TopKOptions options_;
};

}  // namespace

std::unique_ptr<Selector> top_k_selector(std::vector<double> keep, TopKOptions options) {
  return std::make_unique<TopKSelector>(std::move(keep), options);
}

}  // namespace tokensieve
