#include "tokensieve/nn/dynamic_vit.h"

#include <algorithm>
#include <cmath>

#include "row_selection.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/selector.h"

namespace tokensieve::nn {

std::vector<double> keep_rates(double rho, size_t sites) {
  std::vector<double> rates;  // powers, as core takes them: a product may round another way
  for (size_t s = 0; s < sites; ++s) rates.push_back(std::pow(rho, static_cast<double>(s + 1)));
  return rates;
}

DynamicVitImpl::DynamicVitImpl(const VitConfig& config, std::vector<int> sites, double drop_path)
    : VitImpl(config, drop_path), sites_(std::move(sites)) {
  check_argument(config.class_token, "[dynamic_vit] expected a network with a class token, got ",
                 config.name, " without one");
  check_sites("dynamic_vit", sites_, 1, config.depth());
  auto scope = register_module("score_predictor", std::make_shared<torch::nn::Module>());
  for (size_t s = 0; s < sites_.size(); ++s) {
    predictors_.push_back(scope->register_module(std::to_string(s), Predictor(config.embed_dim)));
  }
}

DynamicOutput DynamicVitImpl::forward_masked(const torch::Tensor& pixels,
                                             const DynamicDecisions& decisions, double eps) {
  return masked_blocks(embed(pixels), decisions, eps);
}

DynamicOutput DynamicVitImpl::masked_blocks(const torch::Tensor& rows,
                                            const DynamicDecisions& decisions, double eps) {
  check_argument(decisions.forced.empty() || decisions.forced.size() == sites_.size(),
                 "[dynamic_vit] expected ", sites_.size(), " forced decisions, got ",
                 decisions.forced.size());
  check_argument(decisions.keep.empty() || decisions.keep.size() == sites_.size(),
                 "[dynamic_vit] expected ", sites_.size(), " keep rates, got ",
                 decisions.keep.size());
  const int64_t prefix = config().num_prefix_tokens();
  torch::Tensor x = rows;
  const int64_t batch = x.size(0), count = x.size(1) - prefix;
  const torch::Tensor always = torch::ones({batch, prefix}, x.options());
  torch::Tensor decision = torch::ones({batch, count}, x.options());
  torch::Tensor
      policy;  // undefined before the first site: plain softmax, which all ones would give
  DynamicOutput output;
  for (int i = 0; i < config().depth(); ++i) {
    if (is_site(sites_, i)) {
      const size_t s = output.decisions.size();
      torch::Tensor hard;
      if (!decisions.forced.empty()) {
        hard = decisions.forced.at(s).to(x.scalar_type());
      } else {
        const torch::Tensor log_probabilities = predictors_[s](x.slice(1, prefix), decision);
        if (decisions.keep.empty()) {
          hard = gumbel_keep(log_probabilities);
        } else {
          const double kept = static_cast<double>(count) * decisions.keep.at(s);
          hard = gumbel_top_k(log_probabilities, decision,
                              std::max<int64_t>(1, static_cast<int64_t>(kept)));
          const torch::Tensor there = decision.detach().round().to(torch::kFloat);
          const torch::Tensor probability = log_probabilities.select(-1, 0).exp();
          output.probabilities.push_back((probability * there).sum(1, true) / there.sum(1, true));
        }
      }
      decision = hard.to(x.scalar_type()) * decision;
      output.decisions.push_back(decision);
      policy = torch::cat({always, decision}, 1);
    }
    x = block(i, x, policy, eps);
  }
  const torch::Tensor finished = finish(x);
  output.tokens = finished.slice(1, prefix);
  output.logits = classify(finished, decision);
  output.class_logits = class_logits(finished, decision);
  return output;
}

template <typename Decide>
torch::Tensor DynamicVitImpl::gathered(const torch::Tensor& pixels, Decide decide) {
  const int64_t prefix = config().num_prefix_tokens();
  torch::Tensor x = embed(pixels);
  size_t site = 0;
  for (int i = 0; i < config().depth(); ++i) {
    if (is_site(sites_, i)) x = keep_rows(x, prefix, decide(x.slice(1, prefix), site++));
    x = block(i, x);
  }
  return classify(finish(x));
}

torch::Tensor DynamicVitImpl::forward_gathered(const torch::Tensor& pixels,
                                               const std::vector<double>& keep) {
  check_argument(keep.size() == sites_.size(), "[dynamic_vit] expected ", sites_.size(),
                 " keep rates, got ", keep.size());
  const int64_t count = int64_t{config().grid_height()} * config().grid_width();
  return gathered(pixels, [&](const torch::Tensor& tokens, size_t site) {
    const torch::Tensor ones = torch::ones({tokens.size(0), tokens.size(1)}, tokens.options());
    const torch::Tensor log_probabilities = predictors_[site](tokens, ones);
    // The same order as the log-probability of being kept, without its ties where that is nearly 0.
    const auto best =
        top_k_selector({keep[site]}, {TopKOptions::Of::input, TopKOptions::Round::floor});
    return selected_rows(*best, log_probabilities.select(-1, 0) - log_probabilities.select(-1, 1),
                         count);
  });
}

torch::Tensor DynamicVitImpl::forward_gathered(const torch::Tensor& pixels,
                                               const std::vector<torch::Tensor>& kept) {
  check_argument(kept.size() == sites_.size(), "[dynamic_vit] expected kept rows of ",
                 sites_.size(), " sites, got ", kept.size());
  return gathered(pixels, [&](const torch::Tensor&, size_t site) {
    if (site == 0) return kept[0];
    // Positions of these tokens among the rows that the site before left.
    return torch::searchsorted(kept[site - 1].contiguous(), kept[site].contiguous());
  });
}

}  // namespace tokensieve::nn
