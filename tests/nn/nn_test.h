#pragma once

// LibTorch and Catch2 both define CHECK; the tests mean Catch2's.
#include <torch/torch.h>
#undef CHECK
#include <catch2/catch.hpp>

#include <functional>

#include "tokensieve/core/vit_config.h"

namespace tokensieve::test {

/// A ViT of 16 patches, two heads and four blocks: small enough for double precision.
inline VitConfig tiny_config(int depth = 4) {
  VitConfig config;
  config.image_height = config.image_width = 16;
  config.patch_size = 4;
  config.embed_dim = 16;
  config.head_dim = 8;
  config.num_heads.assign(static_cast<size_t>(depth), 2);
  config.mlp_dim.assign(static_cast<size_t>(depth), 32);
  config.num_classes = 3;
  return config;
}

/// Weights that make every part matter.
template <typename Module>
void randomize(Module& module, uint64_t seed = 0) {
  torch::manual_seed(seed);
  torch::NoGradGuard guard;
  for (torch::Tensor parameter : module.parameters()) parameter.normal_(0.0, 0.3);
}

inline double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().template item<double>();
}

/// Largest difference between autograd's gradient of `loss(x)` and central differences, in double.
inline double gradient_error(const std::function<torch::Tensor(const torch::Tensor&)>& loss,
                             torch::Tensor x) {
  x = x.detach().to(torch::kDouble).clone().requires_grad_();
  loss(x).backward();
  const torch::Tensor gradient = x.grad().flatten();
  torch::NoGradGuard guard;
  const torch::Tensor base = x.detach();
  double worst = 0;
  constexpr double step = 1e-6;
  for (int64_t i = 0; i < base.numel(); ++i) {
    torch::Tensor up = base.clone(), down = base.clone();
    up.flatten()[i] += step;
    down.flatten()[i] -= step;
    const double numeric = (loss(up) - loss(down)).template item<double>() / (2 * step);
    worst = std::max(worst, std::abs(numeric - gradient[i].template item<double>()));
  }
  return worst;
}

}  // namespace tokensieve::test
