#include "tokensieve/core/exit_rule.h"

#include <algorithm>
#include <cmath>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr double kMostPatience = 1 << 20;  // no network is as deep

/// Highest probability of softmax(logits).
double confidence_of(std::span<const float> logits) {
  const double highest = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  return 1.0 / sum;
}

}  // namespace

double entropy_of(std::span<const float> logits) {
  if (logits.empty()) return 0.0;
  const double highest = *std::ranges::max_element(logits);
  double sum = 0.0, weighted = 0.0;
  for (const float logit : logits) {
    const double weight = std::exp(logit - highest);
    sum += weight;
    weighted += (logit - highest) * weight;
  }
  return std::log(sum) - weighted / sum;
}

bool ExitRule::is_never() const {
  return kind == Kind::none || (kind == Kind::confidence ? value >= 1.0 : value <= 0.0);
}

bool ExitRule::exits(std::span<const float> logits, ExitState& state) const {
  if (is_never() || logits.empty()) return false;
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    state = {};
    return false;
  }
  if (kind == Kind::entropy) return entropy_of(logits) < value;
  if (kind == Kind::confidence) return confidence_of(logits) > value;
  const auto prediction = static_cast<int>(std::ranges::max_element(logits) - logits.begin());
  state.agreements = prediction == state.prediction ? state.agreements + 1 : 0;
  state.prediction = prediction;
  return state.agreements >= value;
}

ExitRule patience_rule(double patience) {
  check_argument(patience >= 0 && patience <= kMostPatience && patience == std::floor(patience),
                 "[patience] expected a whole number of at least 0, got ", patience);
  return {ExitRule::Kind::patience, patience};
}

ExitRule entropy_rule(double entropy) {
  check_argument(std::isfinite(entropy) && entropy >= 0,
                 "[entropy] expected a finite entropy of at least 0, got ", entropy);
  return {ExitRule::Kind::entropy, entropy};
}

ExitRule confidence_rule(double confidence) {
  check_argument(confidence > 0 && confidence <= 1,
                 "[confidence] expected a confidence in (0, 1], got ", confidence);
  return {ExitRule::Kind::confidence, confidence};
}

}  // namespace tokensieve
