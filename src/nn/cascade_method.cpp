#include <cmath>

#include "ltp_method.h"
#include "number_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

constexpr double kDigits = 1e6;

/// cascade_rates() as top_k(of=input) takes them for the blocks after the first: each is a share
/// of what the one before it left. Rounded down, so that a product that should be 0.6 is not a last
/// bit above it, which would round 6 of 10 tokens up to 7.
std::vector<double> rates_of_sites(const std::vector<double>& rates) {
  std::vector<double> sites;
  for (size_t l = 1; l < rates.size(); ++l)
    sites.push_back(std::floor(kDigits * rates[l] / rates[l - 1]) / kDigits);
  return sites;
}

class CascadeMethod final : public Method {
 public:
  CascadeMethod(Bert network, Bert teacher, CascadeOptions options)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), options.teacher_logits) {
    const auto rates = cascade_rates(network_->config().depth(), options.keep, options.first);
    check_argument(rates.back() < 1 || options.keep == 1,
                   "[cascade] expected a network of more blocks than those that keep all (the "
                   "first 3, or `first`), got ",
                   network_->config().depth());
    rates_ = rates_of_sites(rates);
    selector_ = top_k_selector(rates_, {TopKOptions::Of::input, TopKOptions::Round::ceil});
  }

  BertImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    const SievedText text = sieve_text(*network_, tokens, *selector_, 0);
    const torch::Tensor logits = network_->classify(text.class_rows.back()).to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, tokens, logits);
    note_kept(loss, text, tokens);
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& tokens) override {
    return network_->classify(sieve_text(*network_, tokens, *selector_, 0).class_rows.back());
  }

  std::string recipe() const override {
    std::string rates;
    for (const double rate : rates_)
      rates = cat(rates, rates.empty() ? "" : "/", number_text(rate));
    return cat("score=received_attention | select=top_k(", rates,
               ", of=input, round=ceil) | drop=gone | at=after_attention:1..", rates_.size());
  }

 private:
  Bert network_;
  TextTeacher teacher_;
  std::vector<double> rates_;
  std::unique_ptr<Selector> selector_;
};

}  // namespace

std::unique_ptr<Method> cascade_method(Bert network, Bert teacher, CascadeOptions options) {
  return std::make_unique<CascadeMethod>(std::move(network), std::move(teacher), options);
}

}  // namespace tokensieve::nn
