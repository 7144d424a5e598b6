#include "tokensieve/nn/ema.h"

#include <algorithm>

#include "tokensieve/core/error.h"

namespace tokensieve::nn {

Ema::Ema(const torch::nn::Module& network, double decay) : decay_(decay) {
  check_argument(decay >= 0 && decay < 1, "[ema] expected a decay in [0, 1), got ", decay);
  for (const auto& item : network.named_parameters()) {
    names_.push_back(item.key());
    parameters_.push_back(item.value());
    averages_.push_back(item.value().detach().clone());
  }
}

void Ema::update(int64_t step) {
  torch::NoGradGuard guard;
  const auto t = static_cast<double>(step);
  const double decay = std::min(decay_, (1.0 + t) / (10.0 + t));
  at::_foreach_lerp_(averages_, parameters_, 1.0 - decay);
}

void Ema::swap() {
  torch::NoGradGuard guard;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const torch::Tensor kept = parameters_[i].detach().clone();
    parameters_[i].copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
}

std::map<std::string, torch::Tensor> Ema::state() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t i = 0; i < names_.size(); ++i) state.emplace(names_[i], averages_[i]);
  return state;
}

}  // namespace tokensieve::nn
