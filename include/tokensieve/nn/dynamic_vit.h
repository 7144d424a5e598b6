#pragma once

#include <optional>
#include <vector>

#include "tokensieve/nn/predictor.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// How DynamicVit decides while it trains.
struct DynamicDecisions {
  /// Exact share of the input tokens kept at each site by gumbel_top_k; empty: gumbel_keep samples
  /// each token on its own, and only the ratio loss holds the share.
  std::vector<double> keep;
  /// These decisions `[B, N]`, one a site, instead of the predictors': for tests.
  std::vector<torch::Tensor> forced;
};

/// What a training pass gives.
struct DynamicOutput {
  torch::Tensor logits;        ///< `[B, classes]`, VitImpl::classify's.
  torch::Tensor class_logits;  ///< `[B, classes]`, VitImpl::class_logits's: what losses compare.
  torch::Tensor tokens;        ///< `[B, N, C]` patch rows after the final norm.
  std::vector<torch::Tensor>
      decisions;  ///< `[B, N]` a site: product of all up to there, with gradient.
  /// `[B, 1]` a site decided by an exact rate: mean keep probability of the tokens that were there,
  /// with gradient.
  std::vector<torch::Tensor> probabilities;
};

/// A ViT with a predictor before some blocks (DynamicViT, arXiv 2106.02034). Parameters have the
/// official names: timm's, and `score_predictor.{site}.`.
class DynamicVitImpl : public VitImpl {
 public:
  /// `sites`: blocks before which tokens leave, ascending, from 1 on. Throws std::invalid_argument
  /// otherwise, and without a class token.
  DynamicVitImpl(const VitConfig& config, std::vector<int> sites, double drop_path = 0.0);

  const std::vector<int>& sites() const { return sites_; }

  /// The training pass: all tokens stay in the batch, dropped ones are masked out of attention with
  /// a self-loop. `eps` as in masked_softmax.
  DynamicOutput forward_masked(const torch::Tensor& pixels, const DynamicDecisions& decisions = {},
                               double eps = 1e-6);
  /// The same from the rows that embed() gives.
  DynamicOutput masked_blocks(const torch::Tensor& rows, const DynamicDecisions& decisions = {},
                              double eps = 1e-6);

  /// The inference pass: at site s the floor(N keep[s]) best tokens are gathered, in their order;
  /// ties go to the smaller index. `keep`: share of the input tokens, one a site. Returns logits.
  torch::Tensor forward_gathered(const torch::Tensor& pixels, const std::vector<double>& keep);
  /// The same with the rows given: indices `[B, k]` into the input tokens, ascending, one a site.
  torch::Tensor forward_gathered(const torch::Tensor& pixels,
                                 const std::vector<torch::Tensor>& kept);

 private:
  template <typename Decide>
  torch::Tensor gathered(const torch::Tensor& pixels, Decide decide);

  std::vector<int> sites_;
  std::vector<Predictor> predictors_;
};
TORCH_MODULE(DynamicVit);

/// rho, rho^2, ... : the share of the input tokens kept after each of `sites` sites, in double.
std::vector<double> keep_rates(double rho, size_t sites);

}  // namespace tokensieve::nn
