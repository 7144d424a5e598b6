#pragma once

#include <cstdint>

namespace tokensieve::nn {

/// The learning rate of every step: linear from 0 over the warm-up, then a cosine down to `final`,
/// as DynamicViT's and DeiT's schedulers compute it.
struct LearningRateSchedule {
  double peak = 1e-3;
  double final = 1e-6;
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;

  /// Step i < w: peak i / (w - 1); then: final + (peak - final) (1 + cos(pi (i - w) / (total -
  /// w))) / 2.
  double at(int64_t step) const;
};

}  // namespace tokensieve::nn
