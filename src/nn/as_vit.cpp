#include "tokensieve/nn/as_vit.h"

#include <cmath>
#include <limits>

#include "parameter_names.h"
#include "row_selection.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/attention_scores.h"

namespace tokensieve::nn {
namespace {

/// Where margins `[B, N]` are not below 0 and, in samples that would be left with nothing, the best
/// of the tokens that are still there (core's threshold selector keeps it, too).
torch::Tensor above_or_best(const torch::Tensor& margin, const torch::Tensor& present) {
  const torch::Tensor above = (margin >= 0).logical_and(present > 0.5);
  const torch::Tensor best =
      margin.masked_fill(present < 0.5, -std::numeric_limits<double>::infinity()).argmax(1, true);
  const torch::Tensor alone = torch::zeros_like(above).scatter(1, best, true);
  return torch::where(above.any(1, true), above, alone);
}

}  // namespace

AsVitImpl::AsVitImpl(const VitConfig& config, std::vector<int> sites,
                     const std::vector<double>& thresholds, double drop_path)
    : VitImpl(config, drop_path), sites_(std::move(sites)) {
  check_argument(config.class_token, "[as_vit] expected a network with a class token, got ",
                 config.name, " without one");
  check_sites("as_vit", sites_, 1, config.depth());
  check_argument(thresholds.size() == sites_.size(), "[as_vit] expected a threshold for each of ",
                 sites_.size(), " sites, got ", thresholds.size());
  for (const double threshold : thresholds) {
    check_argument(std::abs(threshold) <= std::numeric_limits<float>::max(),
                   "[as_vit] expected finite float32 thresholds, got ", threshold);
  }
  check_attention("as_vit", config, sites_, 1);
  thresholds_ =
      register_parameter(std::string(kThresholds), torch::tensor(thresholds, torch::kFloat));
}

std::vector<double> AsVitImpl::thresholds() const {
  const torch::Tensor values = thresholds_.detach().to(torch::kCPU, torch::kDouble);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

torch::Tensor AsVitImpl::block_macs(int block, const torch::Tensor& n) const {
  const double dim = config().embed_dim;
  const double width =
      static_cast<double>(config().num_heads[static_cast<size_t>(block)]) * config().head_dim;
  const double hidden = config().mlp_dim[static_cast<size_t>(block)];
  return (4 * dim * width + 2 * dim * hidden) / 1e9 * n + 2 * width / 1e9 * n * n;
}

double AsVitImpl::dense_macs() const {
  const double rows = config().num_prefix_tokens() +
                      static_cast<double>(config().grid_height()) * config().grid_width();
  const torch::Tensor n = torch::full({}, rows, torch::kDouble);
  double macs = 0;
  for (int i = 0; i < config().depth(); ++i) macs += block_macs(i, n).item<double>();
  return macs;
}

AdaptiveOutput AsVitImpl::forward_masked(const torch::Tensor& pixels, double temperature,
                                         double eps) {
  const int64_t prefix = config().num_prefix_tokens();
  torch::Tensor x = embed(pixels);
  const int64_t batch = x.size(0), count = x.size(1) - prefix;
  const torch::Tensor always = torch::ones({batch, prefix}, x.options());
  torch::Tensor decision = torch::ones({batch, count}, x.options());
  torch::Tensor policy, scores;  // undefined before the first site
  AdaptiveOutput output;
  output.macs = torch::zeros({batch}, x.options());
  for (int i = 0; i < config().depth(); ++i) {
    if (is_site(sites_, i)) {
      const torch::Tensor margin =
          scores.slice(1, prefix) - thresholds_[static_cast<int64_t>(output.decisions.size())];
      const torch::Tensor soft = torch::sigmoid(margin / temperature).to(x.scalar_type());
      const torch::Tensor hard =
          above_or_best(margin.detach(), decision.detach()).to(x.scalar_type());
      decision = (hard - soft.detach() + soft) * decision;
      output.decisions.push_back(decision);
      policy = torch::cat({always, decision}, 1);
    }
    output.macs = output.macs + block_macs(i, prefix + decision.sum(1));
    AttentionTap tap;
    const bool scored = is_site(sites_, i + 1);
    x = mlp(i, attend(i, x, policy, eps, scored ? &tap : nullptr));
    if (scored) scores = weighted_class_attention(tap);
  }
  const torch::Tensor finished = finish(x);
  output.tokens = finished.slice(1, prefix);
  output.logits = classify(finished, decision);
  output.class_logits = class_logits(finished, decision);
  return output;
}

}  // namespace tokensieve::nn
