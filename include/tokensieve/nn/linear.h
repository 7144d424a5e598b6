#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

constexpr double kInitStd = 0.02;  ///< timm's, of weights, tokens and positions.

/// torch's linear layer that starts as timm's do: normal weights cut off at 2, zero bias. The bias
/// is part of the product. torch::nn::Linear adds it in place after it, and under autocast turns
/// all rows to float32 and back for that, which took a sixth of a training step.
class LinearImpl : public torch::nn::LinearImpl {
 public:
  LinearImpl(int64_t in, int64_t out, bool with_bias = true)
      : torch::nn::LinearImpl(torch::nn::LinearOptions(in, out).bias(with_bias)) {
    torch::NoGradGuard guard;
    torch::nn::init::normal_(weight, 0.0, kInitStd).clamp_(-2.0, 2.0);
    if (with_bias) bias.zero_();
  }
  /// x W^T + b: `x` `[..., in]` to `[..., out]`.
  torch::Tensor forward(const torch::Tensor& x) { return torch::linear(x, weight, bias); }
};
TORCH_MODULE(Linear);

}  // namespace tokensieve::nn
