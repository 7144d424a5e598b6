#include <algorithm>

#include "parameter_names.h"
#include "text_teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/text_method.h"

namespace tokensieve::nn {
namespace {

constexpr double kLeastProgress = 0.01;  ///< The ranking loss never weighs less than this share.

class TopMethod final : public Method {
 public:
  TopMethod(TopBert network, Bert teacher, TopOptions options)
      : network_(std::move(network)), teacher_(std::move(teacher)), options_(std::move(options)) {
    check_argument(options_.target > 0 && options_.target < 1,
                   "[top] expected a target in (0, 1), got ", options_.target);
    check_argument(
        options_.target_epochs >= 0 && options_.ranking_weight >= 0 && options_.slack >= 0,
        "[top] expected target_epochs, ranking and slack of 0 or more, got ",
        options_.target_epochs, ", ", options_.ranking_weight, " and ", options_.slack);
    check_argument(options_.temperature > 0, "[top] expected a temperature above 0, got ",
                   options_.temperature);
    check_argument(options_.ranked >= 1, "[top] expected 1 ranked token or more, got ",
                   options_.ranked);
    for (const int64_t length : options_.lengths) {
      check_argument(length >= 1, "[top] expected lengths of 1 token or more, got ", length);
    }
    if (!options_.lengths.empty()) {
      lengths_ = torch::tensor(options_.lengths, torch::kLong).to(torch::kFloat);
    }
    check_argument(static_cast<bool>(teacher_),
                   "[top] expected a teacher, whose answers and ranking the network learns");
    freeze_teacher(*teacher_, network_->config());
    check_argument(teacher_->config().num_heads.back() > 0,
                   "[top] expected an attention in the teacher's last block to rank by");
  }

  TopBertImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_->to(device);
    if (lengths_.defined()) lengths_ = lengths_.to(device);
  }

  void begin_step(double epoch) override {
    network_->clamp_gates();
    progress_ = options_.target_epochs > 0 ? std::min(1.0, epoch / options_.target_epochs) : 1.0;
  }
  void begin_evaluation() override { counted_ = full_ = 0; }
  bool is_candidate(bool last) const override {
    return last || (progress_ >= 1 && counted_ <= (1 - options_.target + options_.slack) * full_);
  }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    const auto [answer, ranking] = ask_teacher(tokens);
    const TopOutput output = network_->forward_soft(tokens);
    const torch::Tensor logits = network_->classify(output.class_rows).to(torch::kFloat);
    const double t = options_.temperature;
    Loss loss;
    add_term(loss, "distillation", distillation_loss(logits / t, answer / t), t * t);
    const torch::Tensor present = BertImpl::present(tokens);
    const torch::Tensor lengths = lengths_.defined() ? lengths_ : present.sum(1);
    const torch::Tensor sparsity = network_->expected_sparsity(lengths);
    add_term(loss, "lagrangian", network_->lagrangian(sparsity, options_.target * progress_), 1.0);
    add_term(loss, "ranking", ranking_term(output, ranking, present),
             options_.ranking_weight * std::max(kLeastProgress, 1 - progress_));
    loss.terms.emplace_back("sparsity", sparsity.detach());
    loss.terms.emplace_back("classification", soft_cross_entropy(logits, targets).detach());
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& tokens) override {
    const TopOutput output = network_->forward_hard(tokens);
    const torch::Tensor length = BertImpl::present(tokens).sum(1);
    std::vector<torch::Tensor> full(static_cast<size_t>(network_->config().depth()), length);
    std::vector<torch::Tensor> left = full;
    for (size_t s = 0; s < output.kept.size(); ++s) {
      left[static_cast<size_t>(network_->first()) + s] = output.kept[s].sum(1);
    }
    counted_ += counted_macs(network_->config(), left).sum().item<double>();
    full_ += counted_macs(network_->config(), full).sum().item<double>();
    return network_->classify(output.class_rows);
  }

  std::string recipe() const override {
    const int first = network_->first() - 1, last = network_->config().depth() - 2;
    return cat("top(bins=", rank_bins_text(network_->decided_bins()), ", sites=", first,
               last > first ? cat("..", last) : "", ")");
  }

 private:
  /// The teacher's logits and the attention that tokens receive in its last block.
  std::pair<torch::Tensor, torch::Tensor> ask_teacher(const torch::Tensor& tokens) {
    torch::NoGradGuard guard;
    const torch::Tensor present = BertImpl::present(tokens), bias = BertImpl::bias_of(present);
    torch::Tensor x = teacher_->embed(tokens);
    const int last = teacher_->config().depth() - 1;
    for (int l = 0; l < last; ++l) x = teacher_->mlp(l, teacher_->attend(l, x, bias));
    const auto [rows, scores] = teacher_->attend(last, x, bias, present);
    x = teacher_->mlp(last, rows);
    return {teacher_->classify(x.select(1, 0)).to(torch::kFloat), scores};
  }

  /// Over the blocks 1 to depth / 3 - 1, one at least (for 12 blocks: 1, 2 and 3).
  torch::Tensor ranking_term(const TopOutput& output, const torch::Tensor& ranking,
                             const torch::Tensor& present) const {
    const int last = std::max(1, network_->config().depth() / 3 - 1);
    torch::Tensor sum;
    for (int l = 1; l <= last && l < network_->config().depth(); ++l) {
      const torch::Tensor value =
          ranking_loss(output.scores[static_cast<size_t>(l)], ranking, present, options_.ranked);
      sum = sum.defined() ? sum + value : value;
    }
    return sum;
  }

  TopBert network_;
  Bert teacher_;
  TopOptions options_;
  torch::Tensor lengths_;  ///< TopOptions::lengths; undefined: of each batch.
  double progress_ = 0;
  double counted_ = 0, full_ = 0;  ///< Multiply-adds of the held-out texts, and without dropping.
};

}  // namespace

std::unique_ptr<Method> top_method(TopBert network, Bert teacher, TopOptions options) {
  return std::make_unique<TopMethod>(std::move(network), std::move(teacher), std::move(options));
}

}  // namespace tokensieve::nn
