#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

constexpr double kInitStd = 0.02;  ///< timm's, of weights, tokens and positions.

/// A linear layer that starts as timm's do: normal weights cut off at 2, zero bias.
inline torch::nn::Linear linear(int64_t in, int64_t out, bool bias = true) {
  torch::nn::Linear layer(torch::nn::LinearOptions(in, out).bias(bias));
  torch::NoGradGuard guard;
  torch::nn::init::normal_(layer->weight, 0.0, kInitStd).clamp_(-2.0, 2.0);
  if (bias) layer->bias.zero_();
  return layer;
}

}  // namespace tokensieve::nn
