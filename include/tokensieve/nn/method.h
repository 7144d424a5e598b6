#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokensieve/nn/dynamic_vit.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// The loss of a batch and the terms it is the weighted sum of, unweighted and detached.
struct Loss {
  torch::Tensor total;
  std::vector<std::pair<std::string, torch::Tensor>> terms;
};

/// What a method contributes to training. The trainer knows nothing else of it.
class Method {
 public:
  virtual ~Method() = default;
  virtual VitImpl& network() = 0;
  /// Moves the network, and the teacher if there is one.
  virtual void to(torch::Device device) = 0;
  /// `pixels` `[B, 3, H, W]`, `targets` `[B, classes]` (soft); may draw from torch's generator.
  virtual Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) = 0;
  /// Logits `[B, classes]` as inference would give them (network() in eval mode); drawn from
  /// nothing.
  virtual torch::Tensor predict(const torch::Tensor& pixels) = 0;
  /// The recipe to store with the trained model.
  virtual std::string recipe() const = 0;
};

/// What is asked of the student beside the labels. The defaults are DynamicViT's.
struct TeacherOptions {
  double logits_weight = 0.5;  ///< Of distillation_loss.
  /// Of token_loss over the kept tokens, or with second heads on both sides (LV-ViT) of
  /// token_distillation_loss; 0 with another architecture.
  double tokens_weight = 0.5;
};

/// Fine-tuning of all tokens, with a teacher or without (null). The teacher never trains. Throws
/// std::invalid_argument when the teacher has other classes or other patches.
std::unique_ptr<Method> dense_method(Vit network, Vit teacher, TeacherOptions options = {});

/// DynamicViT (arXiv 2106.02034).
struct DynamicVitOptions {
  double keep = 0.7;  ///< rho: share kept at each site, of the input tokens rho^(s + 1).
  /// Not empty: {low, high}; each batch draws its rho evenly from there and keeps exactly that
  /// share (gumbel_top_k), so that one file serves every rate. There is no ratio loss then.
  std::vector<double> keep_range;
  double ratio_weight = 2.0;
  double eps = 1e-6;  ///< Of masked_softmax.
  TeacherOptions teacher;
};

/// Throws std::invalid_argument when a number is out of range or the teacher does not fit.
std::unique_ptr<Method> dynamic_vit_method(DynamicVit network, Vit teacher,
                                           DynamicVitOptions options = {});

}  // namespace tokensieve::nn
