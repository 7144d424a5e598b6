#pragma once

#include <vector>

#include "tokensieve/core/rank_bins.h"
#include "tokensieve/nn/bert.h"

namespace tokensieve::nn {

/// A hard-concrete gate (arXiv 1712.01312, as ToP's code has it) of log-odds `a` and uniform noise
/// `u` in (0, 1): clamp(sigmoid((log u - log(1 - u) + a) / beta) (zeta - gamma) + gamma, 0, 1) with
/// beta 2/3, gamma -0.1, zeta 1.1. Shapes are equal.
torch::Tensor hard_concrete(const torch::Tensor& a, const torch::Tensor& u);

/// The probability that such a gate is above 0.
torch::Tensor open_probability(const torch::Tensor& a);

/// The gates that stay open for good, 1 or 0, of `a` `[bins]`: as many are closed as are expected
/// to be, rounded half to even, those of the smallest log-odds first.
torch::Tensor decided_gates(const torch::Tensor& a);

/// Rank bins (ToP, arXiv 2306.14393): of the `alive` `[B, n]` tokens of a text, the class token
/// left out, the one of rank r (0 is the best score) of m is in bin floor(r / (m + 1e-6) bins).
/// `[B, n]`, int64; `bins` for the class token and for what is not alive. Equal scores rank as they
/// stand.
torch::Tensor rank_bins(const torch::Tensor& scores, const torch::Tensor& alive, int64_t bins);

/// ToP's ranking distillation, the second LambdaARP loss: scores `[B, k]` of the student for tokens
/// of relevance `y` `[B, k]`: mean over the batch of
/// (1 / k^2) sum_{y_i > y_j} (y_i - y_j) log2(1 + exp(-(s_i - s_j))).
torch::Tensor lambda_arp(const torch::Tensor& scores, const torch::Tensor& y);

/// The same with the relevance that a teacher's scores give: of the `alive` tokens but the class
/// token the `top` best count. All `[B, n]`.
torch::Tensor ranking_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                           const torch::Tensor& alive, int64_t top);

/// Multiply-adds of the blocks by ToP's count, for texts whose rows at the entry of each block are
/// `lengths` (depth times `[B]`): H (3 n C d + 2 n^2 d + n^2) + n C^2 + 2 n' C F with n' the next
/// block's rows. `[B]`, in 1e9.
torch::Tensor counted_macs(const BertConfig& config, const std::vector<torch::Tensor>& lengths);

/// What a pass of ToP gives.
struct TopOutput {
  torch::Tensor class_rows;           ///< `[B, C]` after the last block.
  std::vector<torch::Tensor> kept;    ///< `[B, n]` a site.
  std::vector<torch::Tensor> scores;  ///< `[B, n]` a block, of forward_soft(): attention received
                                      ///< from live rows.
};

/// A text network with learned rank bins and a gate for each block from `first` on: what enters a
/// block is chosen by the attention of the block before it (ToP).
class TopBertImpl : public BertImpl {
 public:
  /// `first` from 1. Bins start open and gates closed. Throws std::invalid_argument when numbers do
  /// not fit.
  TopBertImpl(const BertConfig& config, int first, int64_t bins, double dropout = 0.0);

  int first() const { return first_; }
  int sites() const { return config().depth() - first_; }
  /// Puts log-odds back into [ln 0.01, ln 100], as is done after every step.
  void clamp_gates();
  /// Which bins stay at each site; all where the site's gate is closed.
  RankBins decided_bins() const;

  /// The training pass: rows that enter a block are scaled by the mask of their bin, drawn from
  /// torch's generator.
  TopOutput forward_soft(const torch::Tensor& tokens);
  /// Evaluation on masked rows, by decided_bins(); of every text one token stays beside the class
  /// token.
  TopOutput forward_hard(const torch::Tensor& tokens);
  /// 1 - expected multiply-adds over those of all tokens, of texts that have so many `tokens`
  /// `[B]`, the class token included; with gradient.
  torch::Tensor expected_sparsity(const torch::Tensor& tokens) const;

  /// lambda_1 (E - t) + lambda_2 (E - t)^2, whose gradient the multipliers climb and all else
  /// descends.
  torch::Tensor lagrangian(const torch::Tensor& sparsity, double target) const;

 private:
  int first_;
  torch::Tensor bins_, gates_, multipliers_;
};
TORCH_MODULE(TopBert);

}  // namespace tokensieve::nn
