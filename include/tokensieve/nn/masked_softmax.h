#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// Softmax over the kept keys and the row itself (DynamicViT, arXiv 2106.02034 eq. 10-11):
///
///     G_ij = pi_j + (1 - pi_j) [i == j],   e_ij = exp(P_ij - max_j P_ij) G_ij
///     A_ij = (e_ij + eps / n) / (sum_k e_ik + eps)
///
/// `logits` P `[B, H, n, n]` of any float type, `policy` pi `[B, n]`; returns A like `logits`.
/// Computed in float32 (double stays double) in one fused pass; gradients reach both arguments. The
/// official code trains with eps = 1e-6, in which a dropped key 14 above all kept ones flattens its
/// row; 0 is exact and takes the maximum over the kept keys and the row itself. Throws
/// std::invalid_argument when shapes disagree.
torch::Tensor masked_softmax(const torch::Tensor& logits, const torch::Tensor& policy, double eps);

}  // namespace tokensieve::nn
