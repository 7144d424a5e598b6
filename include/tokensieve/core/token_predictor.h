#pragma once

#include <span>

namespace tokensieve {

struct SiteInput;

/// Scores that were learned: a small network with weights of its own for each site of a recipe,
/// which looks at the hidden state (DynamicViT, arXiv 2106.02034). Core knows no model, so whoever
/// runs one implements this for the time of a run and hands it over in SiteInput::predictor; the
/// scorer `score=predictor` asks it.
class TokenPredictor {
 public:
  virtual ~TokenPredictor() = default;
  /// Writes log pi (eq. 6 and 7), the logarithm of the probability that a row is kept, for each
  /// packed row behind the prefixes to `log_keep` `[rows]`, by the predictor of
  /// `input.site_index`. What stands at prefix rows means nothing.
  virtual void predict(const SiteInput& input, std::span<float> log_keep) = 0;
};

}  // namespace tokensieve
