#include "tokensieve/core/schedule.h"

#include <algorithm>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

bool runs_earlier(const ScheduledSite& a, const ScheduledSite& b) { return a.site < b.site; }

void check_site(const ScheduledSite& scheduled, int num_layers) {
  const Site& site = scheduled.site;
  check_argument(scheduled.reducer != nullptr, "[schedule] expected a reducer at ", to_string(site),
                 ", got none");
  check_argument(site.layer >= 0 && site.layer < num_layers,
                 "[schedule] expected sites in blocks 0 to ", num_layers - 1, ", got ",
                 to_string(site), "; the network has ", num_layers,
                 " blocks: name others, such as sites=", num_layers / 4, "/", num_layers / 2, "/",
                 3 * num_layers / 4);
  const bool after_an_attention = site != Site{0, SitePosition::before_block};
  check_argument(
      after_an_attention || scheduled.reducer->attention_request() == AttentionRequest::none,
      "[schedule] expected an attention for the score to read, got ", to_string(site),
      ", which has none before it; use after_attention:0");
}

}  // namespace

Schedule::Schedule(std::vector<ScheduledSite> sites, int num_layers, ExitRule exit)
    : sites_(std::move(sites)), exit_(exit) {
  for (const ScheduledSite& scheduled : sites_) check_site(scheduled, num_layers);
  std::sort(sites_.begin(), sites_.end(), runs_earlier);
  for (size_t i = 1; i < sites_.size(); ++i) {
    check_argument(sites_[i - 1].site != sites_[i].site, "[schedule] expected each site once, got ",
                   to_string(sites_[i].site), " twice");
  }
  all_sites_ = sites_;
  std::erase_if(sites_, [](const ScheduledSite& scheduled) {
    return scheduled.reducer->keeps_everything(scheduled.index);
  });
}

const ScheduledSite* Schedule::find(const Site& site) const {
  for (const ScheduledSite& scheduled : sites_) {
    if (scheduled.site == site) return &scheduled;
  }
  return nullptr;
}

std::vector<Site> Schedule::sites_by(LearnedScore score) const {
  std::vector<Site> sites;
  for (const ScheduledSite& scheduled : all_sites_) {
    if (scheduled.reducer->learned_score() == score) sites.push_back(scheduled.site);
  }
  return sites;
}

bool Schedule::has_fixed_counts() const {
  return exit_.is_never() && std::ranges::all_of(sites_, [](const ScheduledSite& scheduled) {
           return scheduled.reducer->has_fixed_count();
         });
}

bool Schedule::proportional_attention() const {
  return std::ranges::any_of(sites_, [](const ScheduledSite& scheduled) {
    return scheduled.reducer->proportional_attention();
  });
}

AttentionRequest Schedule::attention_request(int layer) const {
  const Site first{layer, SitePosition::inside_attention};
  const Site last{layer + 1, SitePosition::before_block};
  AttentionRequest request = AttentionRequest::none;
  for (const ScheduledSite& scheduled : sites_) {
    if (scheduled.site < first || scheduled.site > last) continue;
    request = request | scheduled.reducer->attention_request();
  }
  return request;
}

}  // namespace tokensieve
