#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// Token Labeling's MixToken (arXiv 2104.10858 section 3.3): inside a box of the grid, the tokens
/// of a batch are those of its reverse. CutMix on tokens, so that none is of two pictures.
class MixToken {
 public:
  /// lambda ~ Beta(alpha, alpha), the box as random_cut() has it; from torch's generator. Swaps
  /// nothing for alpha 0.
  static MixToken draw(int64_t height, int64_t width, double alpha);
  /// The tokens of this box; the rest stay.
  MixToken(int64_t height, int64_t width, int64_t top, int64_t left, int64_t rows, int64_t columns);

  /// Rows `[B, N, ...]`, those in the box exchanged with the batch's reverse; twice is the
  /// identity.
  torch::Tensor swap(const torch::Tensor& rows) const;
  /// Labels `[B, K]` of whole pictures: lambda y + (1 - lambda) y of the reverse, with lambda the
  /// share of the tokens outside the box.
  torch::Tensor mixed(const torch::Tensor& labels) const;

 private:
  torch::Tensor inside_;  ///< `[N]`, true in the box; undefined for an empty one.
  double lambda_ = 1;
};

}  // namespace tokensieve::nn
