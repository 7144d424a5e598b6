#pragma once

#include <torch/torch.h>

#include <vector>

#include "tokensieve/core/exit_rule.h"

namespace tokensieve::nn {

/// PABEE's loss (arXiv 2006.04152): sum over l = 1 ... of l CE_l over the sum of l, for the logits
/// `[B, classes]` after every block and soft `targets` `[B, classes]`.
torch::Tensor exits_loss(const std::vector<torch::Tensor>& logits, const torch::Tensor& targets);

/// What texts answer that leave after the first block whose logits satisfy `rule`: `[B, classes]`
/// out of the logits after every block.
torch::Tensor leave_early(const std::vector<torch::Tensor>& logits, const ExitRule& rule);

}  // namespace tokensieve::nn
