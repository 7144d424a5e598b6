#include "tokensieve/nn/losses.h"

#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

/// Mean of `values` `[B, N]` over the kept tokens of the batch, 0 without any.
torch::Tensor mean_over_kept(const torch::Tensor& values, const torch::Tensor& kept) {
  const torch::Tensor mask = kept.detach();
  const torch::Tensor count = mask.sum();
  if (count.item<double>() < 0.1) return torch::zeros({}, values.options());
  return (values * mask).sum() / count;
}

}  // namespace

torch::Tensor soft_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets) {
  return -(targets * torch::log_softmax(logits, -1)).sum(-1).mean();
}

torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher) {
  return torch::kl_div(torch::log_softmax(student, -1), torch::log_softmax(teacher, -1),
                       at::Reduction::Sum, /*log_target=*/true) /
         student.size(0);
}

torch::Tensor token_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                         const torch::Tensor& kept) {
  return mean_over_kept((student - teacher).square().mean(-1), kept);
}

torch::Tensor token_distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                      const torch::Tensor& kept) {
  const torch::Tensor divergence =
      torch::kl_div(torch::log_softmax(student, -1), torch::log_softmax(teacher, -1),
                    at::Reduction::None, /*log_target=*/true)
          .sum(-1);
  return mean_over_kept(divergence, kept);
}

torch::Tensor token_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets,
                                  const torch::Tensor& kept) {
  const torch::Tensor each = -(targets * torch::log_softmax(logits, -1)).sum(-1);
  return kept.defined() ? mean_over_kept(each, kept) : each.mean();
}

torch::Tensor ratio_loss(const std::vector<torch::Tensor>& decisions,
                         const std::vector<double>& keep) {
  check_argument(!decisions.empty() && decisions.size() == keep.size(),
                 "[ratio_loss] expected as many keep rates as decisions, got ", keep.size(),
                 " and ", decisions.size());
  torch::Tensor sum;
  for (size_t s = 0; s < keep.size(); ++s) {
    const torch::Tensor term = (decisions[s].mean(1) - keep[s]).square().mean();
    sum = sum.defined() ? sum + term : term;
  }
  return sum / static_cast<double>(keep.size());
}

}  // namespace tokensieve::nn
