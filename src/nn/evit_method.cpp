#include <cmath>
#include <numbers>

#include "number_text.h"
#include "row_selection.h"
#include "teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/attention_scores.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

class EvitMethod final : public Method {
 public:
  EvitMethod(Vit network, Vit teacher, EvitOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher),
        options_(std::move(options)) {
    check_argument(network_->config().class_token,
                   "[evit] expected a network with a class token, got ", network_->config().name,
                   " without one");
    check_no_masks("evit", network_->config());
    check_sites("evit", options_.sites, 0, network_->config().depth());
    check_attention("evit", network_->config(), options_.sites, 0);
    check_argument(options_.keep > 0 && options_.keep <= 1, "[evit] expected keep in (0, 1], got ",
                   options_.keep);
    check_argument(options_.full_epochs >= 0 && options_.shrink_epochs >= 0,
                   "[evit] expected full_epochs and shrink_epochs of 0 or more, got ",
                   options_.full_epochs, " and ", options_.shrink_epochs);
    check_argument(options_.teacher.tokens_weight == 0,
                   "[evit] expected teacher_tokens 0, since rows leave, got ",
                   options_.teacher.tokens_weight);
  }

  VitImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }
  void begin_step(double epoch) override { rate_ = evit_keep(options_, epoch); }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) override {
    const torch::Tensor logits = forward(pixels, rate_).to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, *network_, teacher_.answer(pixels), logits, {}, {});
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& pixels) override {
    return forward(pixels, options_.keep);
  }

  std::string recipe() const override {
    return cat("evit(keep=", number_text(options_.keep), options_.fuse ? ", fuse" : "",
               ", sites=", joined_sites(options_.sites), ")");
  }

 private:
  torch::Tensor forward(const torch::Tensor& pixels, double keep) {
    VitImpl& net = *network_;
    torch::Tensor x = net.embed(pixels);
    for (int i = 0; i < net.config().depth(); ++i) {
      const bool site = keep < 1 && is_site(options_.sites, i);
      AttentionTap tap;
      x = net.attend(i, x, {}, 0, site ? &tap : nullptr);
      if (site) x = drop(x, class_attention(tap), keep);
      x = net.mlp(i, x);
    }
    return net.classify(net.finish(x));
  }

  /// The rows that stay and, with `fuse`, the sum of the others.
  torch::Tensor drop(const torch::Tensor& x, const torch::Tensor& attention, double keep) const {
    const int64_t prefix = network_->config().num_prefix_tokens();
    const torch::Tensor scores = attention.slice(1, prefix);
    const auto best = top_k_selector({keep}, {TopKOptions::Of::present, TopKOptions::Round::ceil});
    const torch::Tensor index = selected_rows(*best, scores, scores.size(1));
    if (index.size(1) == scores.size(1)) return x;
    const torch::Tensor kept = keep_rows(x, prefix, index);
    if (!options_.fuse) return kept;
    // Not a matrix product: autocast would round the residual stream.
    const torch::Tensor weights = scores.scatter(1, index, 0.0).to(x.scalar_type());
    return torch::cat({kept, (weights.unsqueeze(-1) * x.slice(1, prefix)).sum(1, true)}, 1);
  }

  Vit network_;
  Teacher teacher_;
  EvitOptions options_;
  double rate_ = options_.keep;
};

}  // namespace

double evit_keep(const EvitOptions& options, double epoch) {
  const double since = epoch - options.full_epochs;
  if (since < 0) return 1.0;
  if (since >= options.shrink_epochs) return options.keep;
  const double turn = std::cos(std::numbers::pi * since / options.shrink_epochs);
  return options.keep + (1 - options.keep) * (turn + 1) / 2;
}

std::unique_ptr<Method> evit_method(Vit network, Vit teacher, EvitOptions options) {
  return std::make_unique<EvitMethod>(std::move(network), std::move(teacher), std::move(options));
}

}  // namespace tokensieve::nn
