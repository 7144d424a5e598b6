#pragma once

#include <vector>

#include "tokensieve/core/selector.h"
#include "tokensieve/nn/bert.h"

namespace tokensieve::nn {

/// What a training pass that drops tokens gives.
struct SievedText {
  std::vector<torch::Tensor> class_rows;  ///< `[B, C]` after every block.
  /// `[B, n]` after the attention of every block but the first: what of each token is left, in
  /// [0, 1]; 1 for the class token, 0 after the end of a text.
  std::vector<torch::Tensor> kept;
};

/// The reference length that LTP's defaults are for: thresholds that rise (rising_thresholds()) to
/// 0.01, a temperature of 0.001. Both go with kLtpReference / n_ref, since scores do.
inline constexpr int64_t kLtpReference = 128;

/// Cascade top-k's keep rates, one a block, of the text's tokens (SpAtten as LTP's code has it):
/// the first max(3, ceil(0.15 depth)) blocks, or `first` if that is above 0, keep all, then they
/// fall on a line to `keep` at the last, 0.01 where that is below; `keep` from -10, since networks
/// of few blocks save little otherwise. Throws std::invalid_argument for numbers out of range.
std::vector<double> cascade_rates(int depth, double keep, int first = 0);

/// LTP's soft decision, sigma((score - threshold) / temperature), for `scores` of any shape.
torch::Tensor soft_mask(const torch::Tensor& scores, const torch::Tensor& threshold,
                        double temperature);

/// A pass that decides as the engine does, on masked rows: after the attention of block l > 0 the
/// tokens that `selector` takes (site l - 1) by the attention they receive (BertImpl::attend()
/// with `n_ref`) are keys of the later blocks; what was dropped stays dropped. No gradient goes
/// through the decisions.
SievedText sieve_text(BertImpl& network, const torch::Tensor& tokens, const Selector& selector,
                      int64_t n_ref);

/// A text network with a learned threshold after the attention of every block but the first (LTP,
/// arXiv 2107.00910).
class LtpBertImpl : public BertImpl {
 public:
  /// `thresholds` to start from, one a site; `n_ref`: the reference length that scores are divided
  /// by, 0 for the live rows. Throws std::invalid_argument when they do not fit.
  LtpBertImpl(const BertConfig& config, const std::vector<double>& thresholds, int64_t n_ref,
              double dropout = 0.0);

  int64_t n_ref() const { return n_ref_; }
  /// The thresholds as they are now, one a site, as float32 holds them and at least 1e-5, below
  /// which a token counts as dropped anyway.
  std::vector<double> thresholds() const;

  /// The soft stage: a block's output rows are scaled by soft_mask(); all tokens stay
  /// keys.
  SievedText forward_soft(const torch::Tensor& tokens, double temperature);
  /// The hard stage and evaluation: sieve_text() by the thresholds.
  SievedText forward_hard(const torch::Tensor& tokens);

 private:
  int64_t n_ref_;
  torch::Tensor thresholds_;
};
TORCH_MODULE(LtpBert);

}  // namespace tokensieve::nn
