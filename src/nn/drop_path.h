#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// x + y, with stochastic depth (arXiv 1603.09382): the branch `y` `[B, ...]` of a sample is left
/// out with probability `rate`, and those of the others are scaled by 1 / (1 - rate). Draws from
/// torch's generator.
inline torch::Tensor add_branch(const torch::Tensor& x, const torch::Tensor& y, double rate) {
  if (rate <= 0) return x + y;
  std::vector<int64_t> shape(static_cast<size_t>(y.dim()), 1);
  shape[0] = y.size(0);
  const torch::Tensor kept = torch::empty(shape, x.options()).bernoulli_(1 - rate).div_(1 - rate);
  return torch::addcmul(x, y, kept);
}

}  // namespace tokensieve::nn
