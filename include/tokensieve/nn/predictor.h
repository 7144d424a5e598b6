#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// DynamicViT's predictor (arXiv 2106.02034 section 3.2): of each patch token, the log-probability
/// of being kept (channel 0) and dropped (channel 1), from the token itself and from the mean over
/// the tokens that are still kept.
class PredictorImpl : public torch::nn::Module {
 public:
  explicit PredictorImpl(int64_t dim);
  /// `tokens` `[B, N, C]`, `policy` `[B, N]` (1 kept, 0 dropped) to `[B, N, 2]` float32
  /// log-probabilities.
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& policy);

 private:
  torch::nn::Sequential in_conv_{nullptr}, out_conv_{nullptr};
};
TORCH_MODULE(Predictor);

/// A hard decision with a soft gradient (straight-through Gumbel softmax, temperature 1): 1 where
/// the token is kept. `log_probabilities` `[B, N, 2]`, result `[B, N]`. Draws from torch's
/// generator.
torch::Tensor gumbel_keep(const torch::Tensor& log_probabilities);

/// Exactly k tokens by the Gumbel top-k trick on the keep logits, with the straight-through
/// gradient of sigmoid(score - boundary). The logits are standardized over the tokens of a sample
/// first: every token is of some use, so that all logits would rise together, and without end,
/// until their order is lost; only the order learns. Tokens whose `policy` `[B, N]` is 0 are out of
/// the race. Draws from torch's generator. For training over a range of keep rates. Throws
/// std::invalid_argument unless 1 <= k <= N.
torch::Tensor gumbel_top_k(const torch::Tensor& log_probabilities, const torch::Tensor& policy,
                           int64_t k);

}  // namespace tokensieve::nn
