#include "ltp_method.h"

#include "number_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

/// Of every text the mean of `kept` over `n_ref` places, or over its tokens; without the class
/// token: `[B]`.
torch::Tensor mean_mask(const torch::Tensor& kept, const torch::Tensor& present, int64_t n_ref) {
  const torch::Tensor sum = kept.slice(1, 1).sum(1);
  return n_ref > 0 ? sum / static_cast<double>(n_ref)
                   : sum / present.slice(1, 1).sum(1).clamp_min(1);
}

}  // namespace

torch::Tensor mask_loss(const std::vector<torch::Tensor>& kept, const torch::Tensor& present,
                        int64_t n_ref) {
  check_argument(!kept.empty(), "[mask_loss] expected the masks of one site or more");
  torch::Tensor sum;
  for (const torch::Tensor& mask : kept) {
    const torch::Tensor mean = mean_mask(mask, present, n_ref).mean();
    sum = sum.defined() ? sum + mean : mean;
  }
  return sum;
}

void note_kept(Loss& loss, const SievedText& text, const torch::Tensor& tokens) {
  const torch::Tensor present = BertImpl::present(tokens);
  for (size_t s = 0; s < text.kept.size(); ++s) {
    const torch::Tensor share = mean_mask(text.kept[s].detach(), present, 0).mean();
    loss.terms.emplace_back("kept." + std::to_string(s), share);
  }
}

LtpMethod::LtpMethod(LtpBert network, Bert teacher, LtpOptions options)
    : network_(std::move(network)),
      teacher_(std::move(teacher), network_->config(), options.teacher_logits),
      options_(options) {
  check_argument(options.soft_epochs >= 0 && options.mask_weight >= 0,
                 "[ltp] expected soft_epochs and masks of 0 or more, got ", options.soft_epochs,
                 " and ", options.mask_weight);
  check_argument(options.temperature > 0, "[ltp] expected a temperature above 0, got ",
                 options.temperature);
}

void LtpMethod::to(torch::Device device) {
  network_->to(device);
  teacher_.to(device);
}

Loss LtpMethod::loss(const torch::Tensor& tokens, const torch::Tensor& targets) {
  const SievedText text =
      soft_ ? network_->forward_soft(tokens, options_.temperature) : network_->forward_hard(tokens);
  const torch::Tensor logits = network_->classify(text.class_rows.back()).to(torch::kFloat);
  Loss loss;
  add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
  teacher_.add_to(loss, tokens, logits);
  if (soft_) {
    const torch::Tensor present = BertImpl::present(tokens);
    add_term(loss, "masks", mask_loss(text.kept, present, network_->n_ref()), options_.mask_weight);
  }
  note_kept(loss, text, tokens);
  return loss;
}

torch::Tensor LtpMethod::predict(const torch::Tensor& tokens) {
  return network_->classify(network_->forward_hard(tokens).class_rows.back());
}

std::string LtpMethod::recipe() const { return cat("ltp(", arguments(), ")"); }

std::string LtpMethod::arguments() const {
  std::string thresholds;
  for (const double value : network_->thresholds()) {
    thresholds =
        cat(thresholds, thresholds.empty() ? "" : "/", number_text(static_cast<float>(value)));
  }
  const int64_t n_ref = network_->n_ref();
  return cat("threshold=", thresholds, n_ref > 0 ? cat(", n_ref=", n_ref) : "", ", sites=1..",
             network_->config().depth() - 1);
}

std::unique_ptr<Method> ltp_method(LtpBert network, Bert teacher, LtpOptions options) {
  return std::make_unique<LtpMethod>(std::move(network), std::move(teacher), options);
}

}  // namespace tokensieve::nn
