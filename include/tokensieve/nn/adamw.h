#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

namespace tokensieve::nn {

/// Parameters that share what the optimizer does to them.
struct ParameterGroup {
  std::vector<std::string> names;
  std::vector<torch::Tensor> parameters;
  double scale = 1.0;  ///< Factor of the schedule's learning rate.
  double weight_decay = 0.0;
  int64_t first_epoch = 0;   ///< The learning rate is 0 before it; moments accumulate all the same.
  bool clips_apart = false;  ///< Its gradients have a norm of their own, not that of the others.
};

/// AdamW's constants; the defaults are PyTorch's.
struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
};

/// AdamW with decoupled weight decay (arXiv 1711.05101), one fused pass a group, and a state that
/// can be saved and restored to the last bit.
class AdamW {
 public:
  /// Moments start at 0.
  explicit AdamW(std::vector<ParameterGroup> groups, AdamOptions options = {});

  /// One step with the gradients at hand. A parameter without a gradient is left alone.
  void step(double learning_rate, int64_t epoch);
  /// Forgets all gradients.
  void zero_grad();
  /// Scales gradients so that their common norm is at most `limit` (0: no limit), of the groups
  /// that clip apart and of the others. Returns the larger norm before.
  double clip_gradients(double limit);

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  /// Moments and step counts by name: "m.<parameter>", "v.<parameter>", "t.<parameter>". The
  /// tensors are the optimizer's own: writing to them restores it.
  std::map<std::string, torch::Tensor> state() const;

 private:
  struct Moments {
    std::vector<torch::Tensor> first, second, steps;
  };
  std::vector<ParameterGroup> groups_;
  std::vector<Moments> moments_;
  AdamOptions options_;
};

}  // namespace tokensieve::nn
