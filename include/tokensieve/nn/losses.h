#pragma once

#include <torch/torch.h>

#include <vector>

namespace tokensieve::nn {

/// Cross-entropy with soft targets: -mean_b sum_c targets log_softmax(logits). Both `[B, classes]`.
torch::Tensor soft_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets);

/// KL(teacher, student) of the softmax of logits, mean over the batch (DynamicViT eq. 14).
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher);

/// Mean over kept tokens and channels of (student - teacher)^2 (DynamicViT eq. 13 as coded). Tokens
/// `[B, N, C]`; `kept` `[B, N]` is detached. 0 when nothing is kept in the whole batch.
torch::Tensor token_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                         const torch::Tensor& kept);

/// KL(teacher, student) of the softmax of every kept token's own answer, mean over kept tokens:
/// what DynamicViT asks of LV-ViT's tokens in place of token_loss. Logits `[B, N, classes]`; `kept`
/// `[B, N]` is detached. 0 when nothing is kept in the whole batch.
torch::Tensor token_distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                      const torch::Tensor& kept);

/// Cross-entropy of every kept token's own answer with its soft label, mean over kept tokens (Token
/// Labeling, arXiv 2104.10858 eq. 4). Both `[B, N, classes]`; `kept` `[B, N]` is detached, and left
/// out where all are kept. 0 when nothing is kept in the whole batch.
torch::Tensor token_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets,
                                  const torch::Tensor& kept = {});

/// (1/S) sum_s mean_b (mean_i D_s,i - keep_s)^2 (DynamicViT eq. 15): `decisions` S times `[B, N]`,
/// the mean over i divides by the N input tokens.
torch::Tensor ratio_loss(const std::vector<torch::Tensor>& decisions,
                         const std::vector<double>& keep);

}  // namespace tokensieve::nn
