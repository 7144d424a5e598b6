#pragma once

#include <span>

namespace tokensieve {

struct SiteInput;

/// What a learned score says of a token.
enum class LearnedScore {
  none,              ///< A score that is not learned.
  keep_probability,  ///< DynamicViT's, one predictor for each site of the recipe.
  contribution,      ///< AdapLeR's, one predictor before every block.
};

/// Scores that were learned: a small network with weights of its own, which looks at the hidden
/// state (DynamicViT, arXiv 2106.02034; AdapLeR, arXiv 2203.08991). Core knows no model, so whoever
/// runs one implements this for the time of a run and hands it over in SiteInput::predictor; the
/// scorers `score=predictor` and `score=contribution` ask it.
class TokenPredictor {
 public:
  virtual ~TokenPredictor() = default;
  /// Writes a score for each packed row after the prefixes to `scores` `[rows]`; what stands at
  /// prefix rows means nothing. A keep probability is log pi (DynamicViT, eq. 6 and 7), by the
  /// predictor of `input.site_index`. A contribution is n alpha_i, by the predictor before block
  /// `input.site.layer`: alpha = softmax over all n rows of the sample, prefix among them, so that
  /// an even share is 1.
  virtual void predict(const SiteInput& input, std::span<float> scores) = 0;
};

}  // namespace tokensieve
