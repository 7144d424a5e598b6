#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// Dropout in training: a value is 0 with probability `rate`, else scaled by 1 / (1 - rate); `rate`
/// in [0, 1). Draws one number from torch's generator, and hashes it with each place: torch's own
/// draws value by value on one thread, a quarter of a training step on texts.
torch::Tensor dropout(const torch::Tensor& x, double rate);

}  // namespace tokensieve::nn
