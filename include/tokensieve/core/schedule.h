#pragma once

#include <memory>
#include <vector>

#include "tokensieve/core/exit_rule.h"
#include "tokensieve/core/reducer.h"

namespace tokensieve {

/// A reducer at a site.
struct ScheduledSite {
  Site site;
  int index = 0;  ///< Position among all sites of the recipe, skipped ones included.
  std::shared_ptr<const Reducer> reducer;
};

/// The sites of one run in order of execution. Sites that would keep everything are left out, so a
/// recipe with keep = 1 runs exactly the dense network.
class Schedule {
 public:
  Schedule() = default;
  /// Sorts the sites. Throws std::invalid_argument when a site is not in [0, num_layers), two sites
  /// are the same, a reducer is missing, or one before block 0 asks for the attention before it.
  Schedule(std::vector<ScheduledSite> sites, int num_layers, ExitRule exit = {});

  const std::vector<ScheduledSite>& sites() const { return sites_; }
  /// The same and those that keep everything and were left out: all sites of the recipe.
  const std::vector<ScheduledSite>& all_sites() const { return all_sites_; }
  /// The places of those of all_sites() that go by this learned score, in order.
  std::vector<Site> sites_by(LearnedScore score) const;
  /// When samples leave whole, before the last block.
  const ExitRule& exit() const { return exit_; }
  /// The site at this place, or null.
  const ScheduledSite* find(const Site& site) const;
  /// What the attention of `layer` must hand over: the union of what the sites inside and after it
  /// ask for, up to the next attention.
  AttentionRequest attention_request(int layer) const;

  /// True when every input of a size costs the same: sites keep as many rows of one as of another,
  /// and none exits.
  bool has_fixed_counts() const;
  /// True when a site's method wants attention to weigh keys by the size of their row.
  bool proportional_attention() const;

 private:
  std::vector<ScheduledSite> sites_, all_sites_;
  ExitRule exit_;
};

}  // namespace tokensieve
