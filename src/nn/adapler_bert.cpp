#include "tokensieve/nn/adapler_bert.h"

#include <algorithm>

#include "parameter_names.h"
#include "row_selection.h"
#include "scope.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/selector.h"

namespace tokensieve::nn {
namespace {

constexpr double kBeta = 0.1;
constexpr double kSmall = 1e-7;
constexpr double kSmallest = 1e-15;
constexpr double kDead = 1e-6;  ///< A token less alive than this has left for good.
constexpr double kFirstEta = 0.25, kLeastEta = 0.01, kMostEta = 1.0;
constexpr double kLeastProbe = 0.001;

/// `values` `[B, n]` scaled to a sum of 1.
torch::Tensor normalised(const torch::Tensor& values) {
  return values / (values.sum(1, true) + kSmallest);
}

/// The same with the class token's share first multiplied by `factor`, a scalar.
torch::Tensor with_class_share(const torch::Tensor& values, const torch::Tensor& factor) {
  return normalised(torch::cat({values.slice(1, 0, 1) * factor, values.slice(1, 1)}, 1));
}

/// `values` with 1, or with 0, for the class token.
torch::Tensor with_class(const torch::Tensor& values, double value) {
  return torch::cat({torch::full_like(values.slice(1, 0, 1), value), values.slice(1, 1)}, 1);
}

}  // namespace

torch::Tensor soft_removal(const torch::Tensor& alpha, const torch::Tensor& limit,
                           double sharpness) {
  check_argument(sharpness > 0, "[soft_removal] expected a sharpness above 0, got ", sharpness);
  const torch::Tensor below = sharpness / limit * (alpha - limit) - kBeta / sharpness;
  const torch::Tensor above = (alpha - 1) * (kBeta / sharpness) / (1 - limit + kSmall);
  return torch::minimum(below, above).clamp(kMaskedLogit, 0.0);
}

AdaplerBertImpl::AdaplerBertImpl(const BertConfig& config, double dropout)
    : BertImpl(config, dropout) {
  torch::nn::Module& predictors = scope(*this, std::string(kContributions));
  for (int l = 0; l < config.depth(); ++l) {
    torch::nn::Module& predictor = scope(predictors, std::to_string(l));
    hidden_.push_back(
        predictor.register_module("hidden", Linear(config.embed_dim, kContributionWidth)));
    output_.push_back(predictor.register_module("output", Linear(kContributionWidth, 1)));
  }
  eta_ = register_parameter(std::string(kThresholds), torch::full({config.depth()}, kFirstEta));
  theta_ = register_parameter(std::string(kClassShares), torch::ones({config.depth() - 1}));
}

std::vector<double> AdaplerBertImpl::etas() const {
  const torch::Tensor values =
      eta_.detach().to(torch::kCPU, torch::kDouble).clamp(kLeastEta, kMostEta);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

void AdaplerBertImpl::clamp_bars() {
  torch::NoGradGuard guard;
  eta_.clamp_(kLeastEta, kMostEta);
  theta_.clamp_min_(kLeastProbe);
}

torch::Tensor AdaplerBertImpl::contributions(int block, const torch::Tensor& rows,
                                             const torch::Tensor& live) {
  const auto l = static_cast<size_t>(block);
  const torch::Tensor q = output_[l](torch::gelu(hidden_[l](rows))).squeeze(-1);
  const torch::Tensor exact = q.to(live.scalar_type());
  const torch::Tensor gone = live == 0;
  const torch::Tensor top = exact.masked_fill(gone, kMaskedLogit).amax(1, true).detach();
  return normalised((exact - top).masked_fill(gone, kMaskedLogit).exp() * live);
}

AdaplerOutput AdaplerBertImpl::forward_soft(const torch::Tensor& tokens, double sharpness) {
  torch::Tensor x = embed(tokens);
  const torch::Tensor there = present(tokens).to(x.scalar_type());
  torch::Tensor bias = (1 - there) * kMaskedLogit;
  torch::Tensor alive = with_class(there, 0);  // what can still be removed
  AdaplerOutput output;
  for (int l = 0; l < config().depth(); ++l) {
    const torch::Tensor live = with_class(alive, 1);
    const torch::Tensor alpha = contributions(l, x, live);
    torch::Tensor share = alpha;
    if (l > 0) {
      const torch::Tensor theta = theta_[l - 1];
      // 1, whose gradient is the probe's over theta.
      const torch::Tensor probe = 1 + (theta - theta.detach()) / (theta.detach() + kSmall);
      share = with_class_share(alpha, probe.clamp_min(kLeastProbe));
    }
    const torch::Tensor limit = (eta_[l] / (alive.sum(1, true) + 1)).to(x.scalar_type());
    const torch::Tensor removal = soft_removal(share, limit, sharpness) * alive;
    bias = (bias + removal).clamp_min(kMaskedLogit);
    alive = torch::where(alive > kDead, removal.exp() * alive, alive);
    output.contributions.push_back(alpha);
    output.live.push_back(live);
    output.kept.push_back(with_class(alive, 1));
    output.lengths.push_back(alive.sum(1) + 1);
    x = mlp(l, attend(l, x, bias));
  }
  output.class_rows = x.select(1, 0);
  return output;
}

AdaplerOutput AdaplerBertImpl::forward_hard(const torch::Tensor& tokens) {
  torch::Tensor x = embed(tokens);
  const torch::Tensor there = present(tokens).to(x.scalar_type());
  torch::Tensor alive = there;
  const auto selector = threshold_selector(etas());
  AdaplerOutput output;
  for (int l = 0; l < config().depth(); ++l) {
    const torch::Tensor alpha = contributions(l, x, alive);
    output.live.push_back(alive);
    output.contributions.push_back(alpha);
    const torch::Tensor relative = alpha * alive.sum(1, true);  // alpha >= eta / n is >= eta
    alive = selected_tokens(*selector, relative, alive, there, l).to(x.scalar_type());
    output.kept.push_back(alive);
    output.lengths.push_back(alive.sum(1));
    x = mlp(l, attend(l, x, bias_of(alive)));
  }
  output.class_rows = x.select(1, 0);
  return output;
}

torch::Tensor saliency(BertImpl& network, const torch::Tensor& tokens,
                       const torch::Tensor& targets) {
  torch::AutoGradMode enabled(true);
  const torch::Tensor rows = network.embed(tokens).detach().requires_grad_();
  const torch::Tensor there = BertImpl::present(tokens);
  const torch::Tensor bias = BertImpl::bias_of(there);
  torch::Tensor x = rows;
  for (int l = 0; l < network.config().depth(); ++l) x = network.mlp(l, network.attend(l, x, bias));
  const torch::Tensor logits = network.classify(x.select(1, 0));
  const torch::Tensor own = logits.gather(1, targets.argmax(1, true)).sum();
  const torch::Tensor gradient = torch::autograd::grad({own}, {rows})[0];
  return (gradient * rows.detach()).norm(2, {-1}) * there.to(rows.scalar_type());
}

torch::Tensor contribution_loss(const AdaplerOutput& output, const torch::Tensor& saliency,
                                const torch::Tensor& theta) {
  const auto blocks = static_cast<int64_t>(output.contributions.size());
  check_argument(blocks > 0 && theta.size(0) == blocks - 1,
                 "[contribution_loss] expected a theta for each block but the first, got ",
                 theta.size(0), " for ", blocks);
  torch::Tensor sum;
  for (int64_t l = 0; l < blocks; ++l) {
    const torch::Tensor live = output.live[static_cast<size_t>(l)].detach();
    torch::Tensor target = normalised(saliency.detach() * live);
    if (l > 0) target = with_class_share(target, theta.detach()[l - 1]);
    const torch::Tensor alpha = output.contributions[static_cast<size_t>(l)];
    const torch::Tensor terms =
        target * (target.clamp_min(kSmallest).log() - alpha.clamp_min(kSmallest).log());
    const torch::Tensor liveliest = live.slice(1, 1).size(1) > 0
                                        ? live.slice(1, 1).amax(1)
                                        : torch::zeros_like(live.select(1, 0));
    const torch::Tensor value = (terms.sum(1) * liveliest).mean() * static_cast<double>(blocks - l);
    sum = sum.defined() ? sum + value : value;
  }
  return sum;
}

torch::Tensor length_loss(const AdaplerOutput& output) {
  return torch::stack(output.lengths).sum(0).mean();
}

}  // namespace tokensieve::nn
