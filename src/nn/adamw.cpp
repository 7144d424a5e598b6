#include "tokensieve/nn/adamw.h"

#include <cmath>
#include <limits>
#include <utility>

namespace tokensieve::nn {

AdamW::AdamW(std::vector<ParameterGroup> groups, AdamOptions options)
    : groups_(std::move(groups)), options_(options) {
  for (const ParameterGroup& group : groups_) {
    Moments moments;
    for (const torch::Tensor& parameter : group.parameters) {
      moments.first.push_back(
          torch::zeros_like(parameter, parameter.options().requires_grad(false)));
      moments.second.push_back(moments.first.back().clone());
      moments.steps.push_back(
          torch::zeros({}, torch::TensorOptions(torch::kFloat).device(parameter.device())));
    }
    moments_.push_back(std::move(moments));
  }
}

void AdamW::step(double learning_rate, int64_t epoch) {
  torch::NoGradGuard guard;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ParameterGroup& group = groups_[g];
    std::vector<torch::Tensor> parameters, gradients, first, second, steps;
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const torch::Tensor& gradient = group.parameters[i].grad();
      if (!gradient.defined()) continue;
      parameters.push_back(group.parameters[i]);
      gradients.push_back(gradient);
      first.push_back(moments_[g].first[i]);
      second.push_back(moments_[g].second[i]);
      steps.push_back(moments_[g].steps[i].add_(1.0));
    }
    if (parameters.empty()) continue;
    const double rate = epoch < group.first_epoch ? 0.0 : learning_rate * group.scale;
    at::_fused_adamw_(parameters, gradients, first, second, {}, steps, rate, options_.beta1,
                      options_.beta2, group.weight_decay, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

void AdamW::zero_grad() {
  for (const ParameterGroup& group : groups_) {
    for (torch::Tensor parameter : group.parameters) parameter.mutable_grad() = torch::Tensor();
  }
}

double AdamW::clip_gradients(double limit) {
  const double none = std::numeric_limits<double>::infinity();
  double largest = 0;
  for (const bool apart : {false, true}) {
    std::vector<torch::Tensor> all;
    for (const ParameterGroup& group : groups_) {
      if (group.clips_apart != apart) continue;
      all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    }
    const double norm = torch::nn::utils::clip_grad_norm_(all, limit > 0 ? limit : none);
    if (!std::isnan(largest) && !(norm <= largest)) largest = norm;  // a NaN stays
  }
  return largest;
}

std::map<std::string, torch::Tensor> AdamW::state() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < groups_[g].names.size(); ++i) {
      const std::string& name = groups_[g].names[i];
      state.emplace("m." + name, moments_[g].first[i]);
      state.emplace("v." + name, moments_[g].second[i]);
      state.emplace("t." + name, moments_[g].steps[i]);
    }
  }
  return state;
}

}  // namespace tokensieve::nn
