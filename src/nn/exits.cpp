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

torch::Tensor leave_early(const std::vector<torch::Tensor>& logits, const ExitRule& rule) {
  check_argument(!logits.empty(), "[leave_early] expected the logits of one block or more");
  const torch::Tensor all =
      torch::stack(logits).detach().to(torch::kCPU, torch::kFloat).contiguous();  // [L, B, classes]
  const int64_t blocks = all.size(0), batch = all.size(1), classes = all.size(2);
  std::vector<torch::Tensor> answers;
  for (int64_t b = 0; b < batch; ++b) {
    ExitState state;
    int64_t last = 0;
    for (; last + 1 < blocks; ++last) {
      const float* const own = all.const_data_ptr<float>() + (last * batch + b) * classes;
      if (rule.exits({own, static_cast<size_t>(classes)}, state)) break;
    }
    answers.push_back(logits[static_cast<size_t>(last)][b]);
  }
  return torch::stack(answers);
}

}  // namespace tokensieve::nn
