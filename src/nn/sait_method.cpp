#include <cmath>

#include "number_text.h"
#include "row_selection.h"
#include "teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/attention_scores.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

class SaitMethod final : public Method {
 public:
  SaitMethod(Vit network, Vit teacher, SaitOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher),
        options_(std::move(options)) {
    const VitConfig& config = network_->config();
    check_argument(config.class_token || !options_.class_score,
                   "[sait] expected a network with a class token, got ", config.name,
                   " without one; score by received attention");
    check_no_masks("sait", config);
    check_sites("sait", {options_.site}, 1, config.depth());
    check_attention("sait", config, {options_.site}, 1);
    check_argument(options_.keep > 0 && options_.keep <= 1, "[sait] expected keep in (0, 1], got ",
                   options_.keep);
    check_keep_range("sait", options_.keep_range);
    check_argument(options_.attention_weight >= 0 && options_.teacher.tokens_weight == 0,
                   "[sait] expected attention of 0 or more and teacher_tokens 0, got ",
                   options_.attention_weight, " and ", options_.teacher.tokens_weight);
    check_argument(teacher_ || options_.attention_weight == 0,
                   "[sait] expected a teacher whose attention is to be learned; give one, or set "
                   "attention to 0");
    if (options_.attention_weight > 0) teacher_.check_class_attention(config);
  }

  VitImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }
  /// The first epoch is dense, the second sparse, and so on (US 12299960 B2).
  void begin_step(double epoch) override { sparse_ = static_cast<int64_t>(epoch) % 2 == 1; }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) override {
    double keep = 1;
    if (sparse_) keep = options_.keep_range.empty() ? options_.keep : draw(options_.keep_range);
    const auto [raw, shares] = forward(pixels, keep);
    const torch::Tensor logits = raw.to(torch::kFloat);
    const bool attention = options_.attention_weight > 0;
    const TeacherAnswer answer = teacher_.answer(pixels, attention);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    if (attention) {
      const torch::Tensor theirs =
          answer.class_attention / answer.class_attention.sum(1, true).clamp_min(kSmallest);
      add_term(loss, "attention", share_divergence(theirs, shares), options_.attention_weight);
    }
    teacher_.add_to(loss, *network_, answer, logits, {}, {});
    loss.terms.emplace_back("kept", torch::full({}, keep));
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& pixels) override {
    return forward(pixels, options_.keep).first;
  }

  std::string recipe() const override {
    return cat("sait(keep=", number_text(options_.keep),
               options_.class_score ? ", score=cls_attention" : "", ", sites=", options_.site, ")");
  }

 private:
  static constexpr double kSmallest = 1e-12;

  /// KL(theirs, ours), mean over the batch; both `[B, N]` of sum 1.
  static torch::Tensor share_divergence(const torch::Tensor& theirs, const torch::Tensor& ours) {
    const auto logarithm = [](const torch::Tensor& x) { return x.clamp_min(kSmallest).log(); };
    return (theirs * (logarithm(theirs) - logarithm(ours))).sum(1).mean();
  }

  /// Logits, and each patch's share of the scores.
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& pixels, double keep) {
    VitImpl& net = *network_;
    const int64_t prefix = net.config().num_prefix_tokens();
    torch::Tensor x = net.embed(pixels), shares;
    for (int i = 0; i < net.config().depth(); ++i) {
      if (i == options_.site && keep < 1) {
        const auto best =
            top_k_selector({keep}, {TopKOptions::Of::input, TopKOptions::Round::floor});
        x = keep_rows(x, prefix, selected_rows(*best, shares, shares.size(1)));
      }
      AttentionTap tap;
      const bool scored = i + 1 == options_.site;
      x = net.mlp(i, net.attend(i, x, {}, 0, scored ? &tap : nullptr));
      if (!scored) continue;
      const torch::Tensor scores =
          (options_.class_score ? class_attention(tap) : received_attention(tap)).slice(1, prefix);
      shares = scores / scores.sum(1, true).clamp_min(kSmallest);
    }
    return {net.classify(net.finish(x)), shares};
  }

  Vit network_;
  Teacher teacher_;
  SaitOptions options_;
  bool sparse_ = false;
};

}  // namespace

std::unique_ptr<Method> sait_method(Vit network, Vit teacher, SaitOptions options) {
  return std::make_unique<SaitMethod>(std::move(network), std::move(teacher), std::move(options));
}

}  // namespace tokensieve::nn
