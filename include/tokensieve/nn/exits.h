#pragma once

#include <torch/torch.h>

#include <vector>

namespace tokensieve::nn {

/// PABEE's loss (arXiv 2006.04152): sum over l = 1 ... of l CE_l over the sum of l, for the logits
/// `[B, classes]` behind every block and soft `targets` `[B, classes]`.
torch::Tensor exits_loss(const std::vector<torch::Tensor>& logits, const torch::Tensor& targets);

/// Entropy of the softmax of logits `[B, classes]` in nats: `[B]`.
torch::Tensor entropy(const torch::Tensor& logits);

/// What texts that leave behind the first block with an entropy below `threshold` answer
/// (arXiv 2111.00230): `[B, classes]` out of the logits behind every block.
torch::Tensor exit_by_entropy(const std::vector<torch::Tensor>& logits, double threshold);

/// The same for texts that leave behind the first block whose answer equals those of `patience`
/// blocks before it (PABEE); 0: none leaves.
torch::Tensor exit_by_patience(const std::vector<torch::Tensor>& logits, int patience);

}  // namespace tokensieve::nn
