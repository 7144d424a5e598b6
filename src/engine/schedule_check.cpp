#include "schedule_check.h"

#include <iterator>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// Contributions need the predictor of a block before it.
void check_contributions(const NetworkFacts& network, const ScheduledSite& site) {
  check_argument(network.predicts == LearnedScore::contribution, network.name, " the site ",
                 to_string(site.site), " goes by contributions and this model has no contribution ",
                 "predictors; train one with AdapLeR, or use a recipe that needs no training, such "
                 "as ltp(threshold=0.01, n_ref=128)");
  check_argument(site.site.position == SitePosition::before_block, network.name, " the site ",
                 to_string(site.site), " goes by contributions, which are predicted before a ",
                 "block; use at=before:", site.site.layer);
}

/// Keep probabilities need a predictor for each site of the recipe, whether it keeps everything or
/// not.
void check_predictors(const NetworkFacts& network, const Schedule& schedule,
                      const ScheduledSite& site) {
  const LearnedScore score = site.reducer->learned_score();
  if (score == LearnedScore::none) return;
  if (score == LearnedScore::contribution) return check_contributions(network, site);
  const int count = network.num_predictors;
  const auto num_sites = static_cast<int>(schedule.all_sites().size());
  check_argument(network.predicts == score, network.name, " the site ", to_string(site.site),
                 " goes by a learned score and this model has no predictors; train or convert a "
                 "model that has, or use a recipe that needs no training, such as evit(keep=0.7)");
  check_argument(num_sites == count && site.index >= 0 && site.index < count, network.name,
                 " the model has predictors for ", count, " sites and the recipe has ", num_sites,
                 " sites; name the sites that it was trained with, such as "
                 "dynamicvit(keep=0.7, sites=3/6/9)");
}

void check_site(const NetworkFacts& network, const Schedule& schedule, const ScheduledSite& site) {
  constexpr auto kClass = AttentionRequest::class_row | AttentionRequest::class_row_per_head;
  const std::string at = to_string(site.site);
  const AttentionRequest request = site.reducer->attention_request();
  check_argument(network.class_token || !asks_for(request, kClass), network.name, " the site ", at,
                 " needs class attention and this network has no class token; use"
                 " score=received_attention");
  const bool before = site.site.position == SitePosition::before_block;
  const bool inside = site.site.position == SitePosition::inside_attention;
  const int layer = site.site.layer - (before ? 1 : 0);
  check_argument((request == AttentionRequest::none && !inside) ||
                     (layer >= 0 && network.num_heads[static_cast<size_t>(layer)] > 0),
                 network.name, " the site ", at,
                 " reads attention, and there is none before it; use a later site");
  check_argument(!inside || !network.masks || network.masks->of_block(layer).empty() ||
                     !asks_for(schedule.attention_request(layer), AttentionRequest::column_mean),
                 network.name, " the site ", at,
                 " asks for the attention that masked heads give, before it; score by the class"
                 " token, or choose an unmasked block");
  check_argument(
      !inside || !asks_for(schedule.attention_request(layer), AttentionRequest::output_norm),
      network.name, " the norms of attention outputs that a site asks for cannot be had where ", at,
      " chooses which outputs are computed");
}

}  // namespace

void check_schedule(const NetworkFacts& network, const Schedule& schedule) {
  for (const ScheduledSite& site : schedule.sites()) {
    check_argument(site.site.layer < std::ssize(network.num_heads), network.name, " the site ",
                   to_string(site.site), " is after the last block, ",
                   std::ssize(network.num_heads) - 1);
    check_predictors(network, schedule, site);
    check_site(network, schedule, site);
  }
  if (schedule.exit().is_never()) return;
  check_argument(network.exits, network.name,
                 " the recipe has an exit and this model has no classifiers after its blocks; "
                 "train one that has, or leave exit= out");
  check_argument(network.num_classes > 1, network.name,
                 " an exit needs at least 2 classes to be certain of one, got ",
                 network.num_classes);
}

}  // namespace tokensieve
