#include "tokensieve/nn/exits.h"

#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {

torch::Tensor exits_loss(const std::vector<torch::Tensor>& logits, const torch::Tensor& targets) {
  check_argument(!logits.empty(), "[exits_loss] expected the logits of one block or more");
  torch::Tensor sum;
  double weights = 0;
  for (size_t l = 0; l < logits.size(); ++l) {
    const auto weight = static_cast<double>(l + 1);
    const torch::Tensor term = weight * soft_cross_entropy(logits[l].to(torch::kFloat), targets);
    sum = sum.defined() ? sum + term : term;
    weights += weight;
  }
  return sum / weights;
}

torch::Tensor entropy(const torch::Tensor& logits) {
  const torch::Tensor log_p = torch::log_softmax(logits.to(torch::kFloat), -1);
  return -(log_p.exp() * log_p).sum(-1);
}

torch::Tensor exit_by_entropy(const std::vector<torch::Tensor>& logits, double threshold) {
  torch::Tensor answer = logits.back();
  for (auto block = logits.rbegin() + 1; block != logits.rend(); ++block) {
    answer = torch::where((entropy(*block) < threshold).unsqueeze(-1), *block, answer);
  }
  return answer;
}

torch::Tensor exit_by_patience(const std::vector<torch::Tensor>& logits, int patience) {
  check_argument(patience >= 0, "[exit_by_patience] expected patience of 0 or more, got ",
                 patience);
  if (patience == 0) return logits.back();
  torch::Tensor answer = logits.back();
  torch::Tensor last = logits.front().argmax(-1), equal = torch::zeros_like(last);
  torch::Tensor gone = equal > 0;
  for (size_t l = 1; l < logits.size(); ++l) {
    const torch::Tensor now = logits[l].argmax(-1);
    equal = torch::where(now == last, equal + 1, torch::zeros_like(equal));
    const torch::Tensor leaves = (equal >= patience).logical_and(gone.logical_not());
    answer = torch::where(leaves.unsqueeze(-1), logits[l], answer);
    gone = gone.logical_or(leaves);
    last = now;
  }
  return answer;
}

}  // namespace tokensieve::nn
