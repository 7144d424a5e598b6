#include <cmath>

#include "number_text.h"
#include "parameter_names.h"
#include "text_teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/text_method.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::nn {
namespace {

/// lambda of the very first step, as the authors' code has it.
constexpr double kFirstSharpness = 1000;

/// The authors' last lambda, of three epochs; far beyond it no gradient reaches the bars.
constexpr double kMostSharpness = 125'000;

/// What the authors' weights are of.
constexpr double kBlocks = 12, kTokens = 64;

class AdaplerMethod final : public Method {
 public:
  AdaplerMethod(AdaplerBert network, Bert teacher, AdaplerOptions options)
      : network_(std::move(network)), teacher_(std::move(teacher)), options_(options) {
    check_argument(options.saliency_weight >= 0 && options.length_weight >= 0,
                   "[adapler] expected saliencies and lengths of 0 or more, got ",
                   options.saliency_weight, " and ", options.length_weight);
    check_argument(options.sharpness > 0 && options.growth > 0,
                   "[adapler] expected sharpness and growth above 0, got ", options.sharpness,
                   " and ", options.growth);
    check_argument(options.choose_after >= 0,
                   "[adapler] expected choose_after of 0 epochs or more, got ",
                   options.choose_after);
    check_argument(static_cast<bool>(teacher_),
                   "[adapler] expected a teacher, whose saliencies the predictors learn");
    freeze_teacher(*teacher_, network_->config());
  }

  AdaplerBertImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_->to(device);
  }

  void begin_step(double epoch) override {
    network_->clamp_bars();
    chosen_ = epoch >= options_.choose_after;
    sharpness_ = epoch == 0
                     ? kFirstSharpness
                     : std::min(kMostSharpness,
                                options_.sharpness * std::pow(options_.growth, std::floor(epoch)));
  }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    const torch::Tensor salient = saliency(*teacher_, tokens, targets).to(torch::kFloat);
    const AdaplerOutput output = network_->forward_soft(tokens, sharpness_);
    const torch::Tensor logits = network_->classify(output.class_rows).to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    const torch::Tensor contributions = contribution_loss(output, salient, network_->theta());
    const torch::Tensor lengths = length_loss(output);
    add_term(loss, "contributions", contributions, options_.saliency_weight);
    loss.total = loss.total + for_bars_alone(options_.length_weight * lengths -
                                             options_.saliency_weight * contributions);
    loss.terms.emplace_back("lengths", lengths.detach());
    for (size_t l = 0; l < output.kept.size(); ++l) {
      const torch::Tensor share = output.kept[l].detach().sum(1) / output.live[0].detach().sum(1);
      loss.terms.emplace_back("kept." + std::to_string(l), share.mean());
    }
    return loss;
  }

  bool is_candidate(bool /*last*/) const override { return chosen_; }

  torch::Tensor predict(const torch::Tensor& tokens) override {
    return network_->classify(network_->forward_hard(tokens).class_rows);
  }

  std::string recipe() const override {
    std::string bars;
    for (const double eta : network_->etas()) {
      bars = cat(bars, bars.empty() ? "" : "/", number_text(static_cast<float>(eta)));
    }
    return cat("adapler(threshold=", bars, ", sites=0..", network_->config().depth() - 1, ")");
  }

  std::shared_ptr<const WeightSource> sieve() const override {
    return export_parameters(*network_, kContributions);
  }

 private:
  /// 0, with the gradient of `value` for eta and theta and none for anything else: they learn by
  /// the lengths and not by the contributions, weights and predictors the other way round.
  torch::Tensor for_bars_alone(const torch::Tensor& value) const {
    const std::vector<torch::Tensor> bars = {network_->eta(), network_->theta()};
    const auto gradients = torch::autograd::grad({value}, bars, {}, /*retain_graph=*/true,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    torch::Tensor sum = torch::zeros({}, value.options());
    for (size_t i = 0; i < bars.size(); ++i) {
      if (gradients[i].defined()) {
        sum = sum + (gradients[i] * (bars[i] - bars[i].detach())).sum();
      }
    }
    return sum;
  }

  AdaplerBert network_;
  Bert teacher_;
  AdaplerOptions options_;
  double sharpness_ = kFirstSharpness;
  bool chosen_ = false;
};

}  // namespace

AdaplerOptions AdaplerOptions::scaled(int blocks, int64_t max_tokens) {
  check_argument(blocks > 0 && max_tokens > 0, "[adapler] expected blocks and tokens above 0, got ",
                 blocks, " and ", max_tokens);
  const double depth = blocks, tokens = static_cast<double>(max_tokens);
  AdaplerOptions options;
  options.saliency_weight *= kBlocks * (kBlocks + 1) / (depth * (depth + 1));
  options.length_weight *= kBlocks / depth * kTokens / tokens;
  return options;
}

std::unique_ptr<Method> adapler_method(AdaplerBert network, Bert teacher, AdaplerOptions options) {
  return std::make_unique<AdaplerMethod>(std::move(network), std::move(teacher), options);
}

}  // namespace tokensieve::nn
