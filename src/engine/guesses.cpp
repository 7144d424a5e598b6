#include "guesses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tokensieve/core/error.h"

namespace tokensieve {

std::vector<Guess> best_guesses(std::span<const float> logits,
                                const std::vector<std::string>& labels, int count) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto middle = order.begin() + std::min<int64_t>(count, static_cast<int64_t>(order.size()));
  // NaN logits sort last: no comparison with one may break the order.
  const auto better = [&](int a, int b) {
    const bool nan_a = std::isnan(logits[a]), nan_b = std::isnan(logits[b]);
    if (nan_a || nan_b) return nan_a == nan_b ? a < b : nan_b;
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::partial_sort(order.begin(), middle, order.end(), better);
  std::vector<Guess> guesses;
  if (order.empty()) return guesses;
  const double highest = logits[order[0]];
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  for (auto it = order.begin(); it != middle; ++it) {
    guesses.push_back({*it, labels.empty() ? cat("class ", *it) : labels[static_cast<size_t>(*it)],
                       static_cast<float>(std::exp(logits[*it] - highest) / sum)});
  }
  return guesses;
}

}  // namespace tokensieve
