#include "number_text.h"
#include "parameter_names.h"
#include "row_selection.h"
#include "teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

class AsvitMethod final : public Method {
 public:
  AsvitMethod(AsVit network, Vit teacher, AsvitOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher),
        options_(std::move(options)) {
    check_argument(options_.rate > 0 && options_.rate <= 1, "[asvit] expected rate in (0, 1], got ",
                   options_.rate);
    check_argument(options_.temperature > 0 && options_.macs_weight >= 0 && options_.eps >= 0,
                   "[asvit] expected a temperature above 0, macs and eps of 0 or more, got ",
                   options_.temperature, ", ", options_.macs_weight, " and ", options_.eps);
  }

  VitImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) override {
    const AdaptiveOutput output =
        network_->forward_masked(pixels, options_.temperature, options_.eps);
    const torch::Tensor logits = output.class_logits.to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, *network_, teacher_.answer(pixels), logits, output.tokens,
                    output.decisions.back());
    const double goal = options_.rate * network_->dense_macs();
    add_term(loss, "macs", (output.macs.mean() - goal).abs(), options_.macs_weight);
    for (size_t s = 0; s < output.decisions.size(); ++s) {
      loss.terms.emplace_back("kept." + std::to_string(s), output.decisions[s].detach().mean());
    }
    return loss;
  }

  /// Masked, since thresholds keep another count for each sample.
  torch::Tensor predict(const torch::Tensor& pixels) override {
    return network_->forward_masked(pixels, options_.temperature, 0).logits;
  }

  std::string recipe() const override {
    std::string thresholds;
    for (const double value : network_->thresholds()) {
      thresholds =
          cat(thresholds, thresholds.empty() ? "" : "/", number_text(static_cast<float>(value)));
    }
    return cat("asvit(threshold=", thresholds, ", sites=", joined_sites(network_->sites()), ")");
  }

 private:
  AsVit network_;
  Teacher teacher_;
  AsvitOptions options_;
};

}  // namespace

std::unique_ptr<Method> asvit_method(AsVit network, Vit teacher, AsvitOptions options) {
  return std::make_unique<AsvitMethod>(std::move(network), std::move(teacher), std::move(options));
}

}  // namespace tokensieve::nn
