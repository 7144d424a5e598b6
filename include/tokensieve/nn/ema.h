#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

namespace tokensieve::nn {

/// An exponential moving average of a network's parameters. The decay of step t is
/// min(decay, (1 + t) / (10 + t)), so that short runs are not held at their start.
class Ema {
 public:
  /// Starts as a copy. Decay in [0, 1); throws std::invalid_argument otherwise.
  Ema(const torch::nn::Module& network, double decay);

  /// Takes in the parameters after step `step`, counted from 0.
  void update(int64_t step);
  /// Exchanges the network's parameters with the averages; a second call undoes it.
  void swap();
  /// The averages by parameter name; writing to them restores them.
  std::map<std::string, torch::Tensor> state() const;

 private:
  std::vector<std::string> names_;
  std::vector<torch::Tensor> parameters_, averages_;
  double decay_;
};

}  // namespace tokensieve::nn
