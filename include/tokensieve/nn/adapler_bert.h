#pragma once

#include <vector>

#include "tokensieve/nn/bert.h"

namespace tokensieve::nn {

/// AdapLeR's soft removal (arXiv 2203.08991): what is added to the attention logits of a token of
/// contribution `alpha` `[B, n]` where `limit` `[B, 1]` is the bar eta and `sharpness` is lambda:
///
///     phi = max(-10000, min(0, (lambda / limit) (alpha - limit) - 0.1 / lambda,
///                           (alpha - 1) (0.1 / lambda) / (1 - limit + 1e-7)))
torch::Tensor soft_removal(const torch::Tensor& alpha, const torch::Tensor& limit,
                           double sharpness);

/// What a pass of AdapLeR gives; lists have an entry a block.
struct AdaplerOutput {
  torch::Tensor class_rows;                  ///< `[B, C]` after the last block.
  std::vector<torch::Tensor> contributions;  ///< `[B, n]`, alpha: a sum of 1 over a text's tokens.
  std::vector<torch::Tensor> live;           ///< `[B, n]` before the block's removal, class row 1.
  std::vector<torch::Tensor> kept;           ///< `[B, n]` after it.
  std::vector<torch::Tensor> lengths;        ///< `[B]`, rows that the block computes.
};

/// A text network with a contribution predictor before every block: a token whose predicted share
/// is below eta / (tokens there are) leaves (AdapLeR).
class AdaplerBertImpl : public BertImpl {
 public:
  /// Predictors [C, 32] and [32, 1] start as the network does, every eta at 0.25.
  explicit AdaplerBertImpl(const BertConfig& config, double dropout = 0.0);

  /// The etas as they are, within [0.01, 1], one a block.
  std::vector<double> etas() const;
  /// Puts the etas back into [0.01, 1], and the class shares to 0.001 or more, after every step.
  void clamp_bars();

  /// The training pass: masks of soft_removal(). A probe of 1 on the class token's share carries
  /// the gradient that theta learns by.
  AdaplerOutput forward_soft(const torch::Tensor& tokens, double sharpness);
  /// Evaluation, on masked rows: a token stays where its share reaches the bar, and so does the
  /// class token, and the best other.
  AdaplerOutput forward_hard(const torch::Tensor& tokens);

  torch::Tensor eta() const { return eta_; }      ///< `[blocks]`
  torch::Tensor theta() const { return theta_; }  ///< `[blocks - 1]`

 private:
  torch::Tensor contributions(int block, const torch::Tensor& rows, const torch::Tensor& live);

  std::vector<Linear> hidden_, output_;
  torch::Tensor eta_, theta_;
};
TORCH_MODULE(AdaplerBert);

/// Saliency of every token for the class that `targets` `[B, classes]` names:
/// ||d logit / d x (elementwise *) x|| of the rows x after the embedding, `[B, n]`, 0 after the
/// end of a text. Nothing of the network gets a gradient.
torch::Tensor saliency(BertImpl& network, const torch::Tensor& tokens,
                       const torch::Tensor& targets);

/// sum over blocks of (blocks - l) KL(S_l, alpha_l), mean over the batch: S_l is `saliency` times
/// the liveness before block l, scaled to a sum of 1, its class token times `theta[l - 1]` and
/// scaled anew; each text weighs as its liveliest token. No gradient goes through S_l.
torch::Tensor contribution_loss(const AdaplerOutput& output, const torch::Tensor& saliency,
                                const torch::Tensor& theta);

/// Mean over the batch of the rows that all blocks compute.
torch::Tensor length_loss(const AdaplerOutput& output);

}  // namespace tokensieve::nn
