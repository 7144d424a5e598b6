#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tokensieve/core/reducer.h"

namespace tokensieve {

/// Where a token's score comes from. High means important.
class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual AttentionRequest attention_request() const = 0;
  /// Writes one score for every packed row to `scores` `[rows]`. Prefix rows may hold anything:
  /// they are protected by position, never by score. Throws std::invalid_argument when the input
  /// lacks what the scorer reads.
  virtual void score(const SiteInput& input, std::span<float> scores) const = 0;
  /// What the score is where it comes from SiteInput::predictor.
  virtual LearnedScore learned_score() const { return LearnedScore::none; }
  /// True when score() writes logarithms. Rows are ranked by them, so that probabilities close to 1
  /// stay apart; thresholds, fused rows and traces get their exponentials.
  virtual bool logarithmic() const { return false; }
  /// What a score is, for pictures: "class attention".
  virtual std::string_view score_name() const { return "score"; }
};

/// Mean over heads of the class token's attention to each row (EViT, arXiv 2202.07800 eq. 3).
std::unique_ptr<Scorer> class_attention_scorer();
/// The class token's attention to each row, summed over heads with weights of the row itself: the
/// length of a head's output for it, divided by the sum over heads (AS-ViT, arXiv 2209.13802). All
/// of the block before the site, so for sites before a block.
std::unique_ptr<Scorer> weighted_class_attention_scorer();
/// Attention received: mean over heads and live query rows (SaiT). With `n_ref` above 0 the sum
/// over the rows present is divided by that many instead (LTP, arXiv 2107.00910, whose thresholds
/// were learned on texts padded to so many tokens), so that scores do not depend on how long a text
/// is. Throws std::invalid_argument for a negative number.
std::unique_ptr<Scorer> received_attention_scorer(int64_t n_ref = 0);
/// Probability that a token is kept, by the predictor that was trained for the site (DynamicViT,
/// arXiv 2106.02034 eq. 6): logarithms, from SiteInput::predictor.
std::unique_ptr<Scorer> predictor_scorer();
/// A token's contribution to the answer, by the predictor before the block: n alpha, its
/// predicted share of the saliency times the tokens present, the class token among them (AdapLeR,
/// arXiv 2203.08991), so that alpha >= eta / n is one number, `select=threshold(eta)`. From
/// SiteInput::predictor.
std::unique_ptr<Scorer> contribution_scorer();
/// Uniform random numbers that depend on the seed, the input itself, the site and the token, and on
/// nothing else (neither batch order nor threads): the control every method has to beat.
std::unique_ptr<Scorer> random_scorer(uint64_t seed);

}  // namespace tokensieve
