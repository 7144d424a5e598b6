#include "tokensieve/nn/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tokensieve::nn {

double LearningRateSchedule::at(int64_t step) const {
  if (step < warmup_steps) {
    return peak * static_cast<double>(step) /
           static_cast<double>(std::max<int64_t>(1, warmup_steps - 1));
  }
  const auto length = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  const double position = static_cast<double>(step - warmup_steps) / length;
  return final +
         0.5 * (peak - final) * (1.0 + std::cos(std::numbers::pi * std::min(1.0, position)));
}

}  // namespace tokensieve::nn
