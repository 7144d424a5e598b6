#include "tokensieve/nn/ltp_bert.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parameter_names.h"
#include "row_selection.h"
#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

constexpr double kLeastThreshold = 1e-5;
constexpr double kLeastRate = 0.01;
constexpr double kLeastFall = -10;  // all but the first site are at the least rate long before
constexpr int kFirstDropping = 3;
constexpr double kFirstDroppingShare = 0.15;

void check_attention(const BertConfig& config) {
  for (int i = 1; i < config.depth(); ++i) {
    check_argument(config.num_heads[static_cast<size_t>(i)] > 0,
                   "[ltp_bert] expected an attention in block ", i, " to score by");
  }
}

}  // namespace

std::vector<double> cascade_rates(int depth, double keep, int first) {
  check_argument(keep >= kLeastFall && keep <= 1, "[cascade] expected keep in [", kLeastFall,
                 ", 1], got ", keep);
  check_argument(first >= 0, "[cascade] expected first to be a block, got ", first);
  if (first == 0) {
    first = std::max(kFirstDropping, static_cast<int>(std::ceil(kFirstDroppingShare * depth)));
  }
  std::vector<double> rates;
  for (int l = 0; l < depth; ++l) {
    const double fallen = (keep - 1) / (depth - first) * (l - first + 1) + 1;
    rates.push_back(l < first ? 1.0 : std::max(kLeastRate, fallen));
  }
  return rates;
}

SievedText sieve_text(BertImpl& network, const torch::Tensor& tokens, const Selector& selector,
                      int64_t n_ref) {
  check_attention(network.config());
  torch::Tensor x = network.embed(tokens);
  const torch::Tensor present = BertImpl::present(tokens);
  torch::Tensor kept = present;
  SievedText text;
  for (int i = 0; i < network.config().depth(); ++i) {
    const torch::Tensor bias = BertImpl::bias_of(kept);
    if (i > 0 && !selector.keeps_everything(i - 1)) {
      const auto [rows, scores] = network.attend(i, x, bias, kept, n_ref);
      x = rows;
      kept = selected_tokens(selector, scores.detach(), kept, present, i - 1);
    } else {
      x = network.attend(i, x, bias);
    }
    if (i > 0) text.kept.push_back(kept);
    x = network.mlp(i, x);
    text.class_rows.push_back(x.select(1, 0));
  }
  return text;
}

LtpBertImpl::LtpBertImpl(const BertConfig& config, const std::vector<double>& thresholds,
                         int64_t n_ref, double dropout)
    : BertImpl(config, dropout), n_ref_(n_ref) {
  check_attention(config);
  check_argument(std::ssize(thresholds) == config.depth() - 1 && config.depth() > 2,
                 "[ltp_bert] expected 3 blocks or more and a threshold for each of the ",
                 config.depth() - 1, " after the first, got ", thresholds.size());
  for (const double threshold : thresholds) {
    check_argument(std::abs(threshold) <= std::numeric_limits<float>::max(),
                   "[ltp_bert] expected finite float32 thresholds, got ", threshold);
  }
  check_argument(n_ref >= 0, "[ltp_bert] expected n_ref of 0 or more, got ", n_ref);
  thresholds_ =
      register_parameter(std::string(kThresholds), torch::tensor(thresholds, torch::kFloat));
}

std::vector<double> LtpBertImpl::thresholds() const {
  const torch::Tensor values =
      thresholds_.detach().to(torch::kCPU, torch::kDouble).clamp_min(kLeastThreshold);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

torch::Tensor soft_mask(const torch::Tensor& scores, const torch::Tensor& threshold,
                        double temperature) {
  return torch::sigmoid((scores - threshold) / temperature);
}

SievedText LtpBertImpl::forward_soft(const torch::Tensor& tokens, double temperature) {
  torch::Tensor x = embed(tokens);
  const torch::Tensor live = present(tokens), bias = bias_of(live);
  SievedText text;
  for (int i = 0; i < config().depth(); ++i) {
    if (i > 0) {
      const auto [rows, scores] = attend(i, x, bias, live, n_ref_);
      torch::Tensor mask =
          soft_mask(scores, thresholds_[i - 1], temperature) * live.to(scores.scalar_type());
      mask = torch::cat({torch::ones_like(mask.slice(1, 0, 1)), mask.slice(1, 1)}, 1);
      x = mlp(i, rows);
      x = x * mask.to(x.scalar_type()).unsqueeze(-1);
      text.kept.push_back(mask);
    } else {
      x = mlp(i, attend(i, x, bias));
    }
    text.class_rows.push_back(x.select(1, 0));
  }
  return text;
}

SievedText LtpBertImpl::forward_hard(const torch::Tensor& tokens) {
  return sieve_text(*this, tokens, *threshold_selector(thresholds()), n_ref_);
}

}  // namespace tokensieve::nn
