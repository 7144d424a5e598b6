#include "ltp_method.h"
#include "number_text.h"
#include "parameter_names.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/exits.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::nn {
namespace {

/// Logits after every block.
std::vector<torch::Tensor> all_logits(BertImpl& network,
                                      const std::vector<torch::Tensor>& class_rows) {
  std::vector<torch::Tensor> logits;
  for (size_t i = 0; i < class_rows.size(); ++i) {
    const torch::Tensor pooled = network.pool(class_rows[i]);
    logits.push_back(network.exit(static_cast<int>(i), pooled).to(torch::kFloat));
  }
  return logits;
}

void check_exits(const char* method, const BertConfig& config) {
  check_argument(config.exits, "[", method, "] expected a network with exits, got ", config.name,
                 " without");
}

class PabeeMethod final : public Method {
 public:
  PabeeMethod(Bert network, Bert teacher, PabeeOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher_logits),
        options_(options),
        rule_(patience_rule(options.patience)) {
    check_exits("pabee", network_->config());
  }

  BertImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    const auto logits = all_logits(*network_, network_->class_rows(tokens));
    Loss loss;
    add_term(loss, "exits", exits_loss(logits, targets), 1.0);
    teacher_.add_to(loss, tokens, logits.back());
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& tokens) override {
    return leave_early(all_logits(*network_, network_->class_rows(tokens)), rule_);
  }

  std::string recipe() const override { return cat("pabee(patience=", options_.patience, ")"); }
  std::shared_ptr<const WeightSource> sieve() const override {
    return export_parameters(*network_, kExits);
  }

 private:
  Bert network_;
  TextTeacher teacher_;
  PabeeOptions options_;
  ExitRule rule_;
};

class MagicPyramidMethod final : public LtpMethod {
 public:
  MagicPyramidMethod(LtpBert network, Bert teacher, MagicPyramidOptions options)
      : LtpMethod(std::move(network), std::move(teacher), options.ltp),
        options_(options),
        rule_(entropy_rule(options.entropy)) {
    check_exits("magic_pyramid", network_->config());
    check_argument(options.hard_epochs >= 0 && options.joint_epochs >= 0,
                   "[magic_pyramid] expected hard_epochs and joint_epochs of 0 or more, got ",
                   options.hard_epochs, " and ", options.joint_epochs);
  }

  void begin_step(double epoch) override {
    LtpMethod::begin_step(epoch);
    const double joint = options_.ltp.soft_epochs + options_.hard_epochs;
    stage_ = epoch < joint                           ? Stage::tokens
             : epoch < joint + options_.joint_epochs ? Stage::joint
                                                     : Stage::exits;
  }
  std::vector<double> stages() const override {
    const double soft = options_.ltp.soft_epochs, joint = soft + options_.hard_epochs;
    return {soft, joint, joint + options_.joint_epochs};
  }
  bool is_candidate(bool /*last*/) const override { return stage_ != Stage::tokens; }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    if (stage_ == Stage::tokens) return LtpMethod::loss(tokens, targets);
    return stage_ == Stage::joint ? joint_loss(tokens, targets) : exits_alone(tokens, targets);
  }

  torch::Tensor predict(const torch::Tensor& tokens) override {
    return leave_early(all_logits(*network_, network_->forward_hard(tokens).class_rows), rule_);
  }

  std::string recipe() const override {
    return cat("magic_pyramid(", arguments(), ", entropy=", number_text(options_.entropy), ")");
  }
  std::shared_ptr<const WeightSource> sieve() const override {
    return export_parameters(*network_, kExits);
  }

 private:
  enum class Stage { tokens, joint, exits };

  Loss joint_loss(const torch::Tensor& tokens, const torch::Tensor& targets) {
    const SievedText text = network_->forward_hard(tokens);
    const auto logits = all_logits(*network_, text.class_rows);
    Loss loss;
    add_term(loss, "exits", exits_loss(logits, targets), 1.0);
    teacher_.add_to(loss, tokens, logits.back());
    note_kept(loss, text, tokens);
    return loss;
  }

  /// All but the exits stand still, the shared pooler with them: the sum of their losses.
  Loss exits_alone(const torch::Tensor& tokens, const torch::Tensor& targets) {
    SievedText text;
    {
      torch::NoGradGuard guard;
      text = network_->forward_hard(tokens);
      for (torch::Tensor& row : text.class_rows) row = network_->pool(row);
    }
    Loss loss;
    torch::Tensor sum = torch::zeros({}, targets.options());
    for (int i = 0; i + 1 < network_->config().depth(); ++i) {
      const torch::Tensor logits = network_->exit(i, text.class_rows[static_cast<size_t>(i)]);
      sum = sum + soft_cross_entropy(logits.to(torch::kFloat), targets);
    }
    add_term(loss, "exits", sum, 1.0);
    note_kept(loss, text, tokens);
    return loss;
  }

  MagicPyramidOptions options_;
  ExitRule rule_;
  Stage stage_ = Stage::tokens;
};

}  // namespace

std::unique_ptr<Method> pabee_method(Bert network, Bert teacher, PabeeOptions options) {
  return std::make_unique<PabeeMethod>(std::move(network), std::move(teacher), options);
}

std::unique_ptr<Method> magic_pyramid_method(LtpBert network, Bert teacher,
                                             MagicPyramidOptions options) {
  return std::make_unique<MagicPyramidMethod>(std::move(network), std::move(teacher), options);
}

}  // namespace tokensieve::nn
