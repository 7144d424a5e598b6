#pragma once

#include <vector>

#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// What a training pass of AS-ViT gives.
struct AdaptiveOutput {
  torch::Tensor logits;                  ///< `[B, classes]`, VitImpl::classify's.
  torch::Tensor class_logits;            ///< `[B, classes]`, VitImpl::class_logits's.
  torch::Tensor tokens;                  ///< `[B, N, C]` patch rows after the final norm.
  std::vector<torch::Tensor> decisions;  ///< `[B, N]` a site, product of all up to there.
  torch::Tensor macs;  ///< `[B]` multiply-adds of the blocks, in 1e9, with gradient.
};

/// A ViT with a learned threshold before some blocks (AS-ViT, arXiv 2209.13802).
class AsVitImpl : public VitImpl {
 public:
  /// `sites`: blocks before which tokens leave, ascending, from 1 on; `thresholds` to start from,
  /// one a site. Throws std::invalid_argument otherwise, and without a class token.
  AsVitImpl(const VitConfig& config, std::vector<int> sites, const std::vector<double>& thresholds,
            double drop_path = 0.0);

  /// Blocks before which tokens leave.
  const std::vector<int>& sites() const { return sites_; }
  /// The thresholds as they are now, one a site.
  std::vector<double> thresholds() const;

  /// The training pass: D = [score >= threshold], with the gradient of sigmoid((score - threshold)
  /// / temperature); where none reaches it the best stays; what was dropped is masked out from then
  /// on.
  AdaptiveOutput forward_masked(const torch::Tensor& pixels, double temperature = 1e-4,
                                double eps = 1e-6);
  /// Multiply-adds of the blocks with all tokens, in 1e9.
  double dense_macs() const;

 private:
  /// 4 n C^2 + 2 n^2 C + 2 n C F of one block, in 1e9; `n` `[B]`.
  torch::Tensor block_macs(int block, const torch::Tensor& n) const;

  std::vector<int> sites_;
  torch::Tensor thresholds_;
};
TORCH_MODULE(AsVit);

}  // namespace tokensieve::nn
