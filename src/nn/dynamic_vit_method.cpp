#include "number_text.h"
#include "parameter_names.h"
#include "row_selection.h"
#include "teacher.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::nn {
namespace {

class DynamicVitMethod final : public Method {
 public:
  DynamicVitMethod(DynamicVit network, Vit teacher, DynamicVitOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher),
        options_(std::move(options)) {
    check_no_masks("dynamicvit", network_->config());
    check_argument(options_.keep > 0 && options_.keep <= 1,
                   "[dynamicvit] expected keep in (0, 1], got ", options_.keep);
    check_keep_range("dynamicvit", options_.keep_range);
    check_argument(options_.ratio_weight >= 0 && options_.eps >= 0,
                   "[dynamicvit] expected ratio_weight and eps of 0 or more, got ",
                   options_.ratio_weight, " and ", options_.eps);
  }

  VitImpl& network() override { return *network_; }

  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) override {
    const bool sampled = !options_.keep_range.empty();
    DynamicDecisions decisions;
    if (sampled) decisions.keep = rates(draw(options_.keep_range));
    const DynamicOutput output = network_->forward_masked(pixels, decisions, options_.eps);
    const torch::Tensor logits = output.class_logits.to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, *network_, teacher_.answer(pixels), logits, output.tokens,
                    output.decisions.back());
    // Top-k learns an order and no level, which a threshold needs: the mean probability of each
    // picture is held at the rate of one site.
    const torch::Tensor ratio =
        sampled ? ratio_loss(output.probabilities,
                             std::vector<double>(network_->sites().size(), options_.keep))
                : ratio_loss(output.decisions, rates(options_.keep));
    add_term(loss, "ratio", ratio, options_.ratio_weight);
    for (size_t s = 0; s < output.decisions.size(); ++s) {
      loss.terms.emplace_back("kept." + std::to_string(s), output.decisions[s].detach().mean());
    }
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& pixels) override {
    return network_->forward_gathered(pixels, rates(options_.keep));
  }

  std::string recipe() const override {
    return cat("dynamicvit(keep=", number_text(options_.keep),
               ", sites=", joined_sites(network_->sites()), ")");
  }
  std::shared_ptr<const WeightSource> sieve() const override {
    return export_parameters(*network_, kPredictors);
  }

 private:
  std::vector<double> rates(double keep) const {
    return keep_rates(keep, network_->sites().size());
  }

  DynamicVit network_;
  Teacher teacher_;
  DynamicVitOptions options_;
};

}  // namespace

std::unique_ptr<Method> dynamic_vit_method(DynamicVit network, Vit teacher,
                                           DynamicVitOptions options) {
  return std::make_unique<DynamicVitMethod>(std::move(network), std::move(teacher),
                                            std::move(options));
}

}  // namespace tokensieve::nn
