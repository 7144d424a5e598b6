#include "tokensieve/nn/attention_scores.h"

namespace tokensieve::nn {
namespace {

constexpr double kSmallest = 1e-8;  // keeps a row without any output from dividing by 0

/// Sums are taken in float32 at least.
torch::Tensor exact(const torch::Tensor& x) {
  return x.scalar_type() == torch::kDouble ? x : x.to(torch::kFloat);
}

}  // namespace

torch::Tensor class_attention(const AttentionTap& tap) {
  return exact(tap.probabilities.select(2, 0)).mean(1);
}

torch::Tensor received_attention(const AttentionTap& tap) {
  return exact(tap.probabilities).mean({1, 2});
}

torch::Tensor weighted_class_attention(const AttentionTap& tap) {
  const torch::Tensor lengths = exact(tap.outputs).norm(2, {-1});
  const torch::Tensor weights = lengths / (lengths.sum(1, true) + kSmallest);
  return (weights * exact(tap.probabilities.select(2, 0))).sum(1);
}

}  // namespace tokensieve::nn
