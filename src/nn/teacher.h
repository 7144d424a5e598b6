#pragma once

#include "tokensieve/nn/method.h"

namespace tokensieve::nn {

/// A frozen network and what a student pays for not doing as it does.
class Teacher {
 public:
  /// `network` may be null. Throws std::invalid_argument when it does not fit the student's config.
  Teacher(Vit network, const VitConfig& student, TeacherOptions options);

  void to(torch::Device device);
  /// Adds its terms to `loss`; `kept` `[B, N]`, undefined: all tokens. `tokens`: the patch rows of
  /// `student` after its final norm. Where both networks have a second head (LV-ViT), its answers
  /// are compared instead of the rows.
  void add_to(Loss& loss, VitImpl& student, const torch::Tensor& pixels,
              const torch::Tensor& logits, const torch::Tensor& tokens, const torch::Tensor& kept);

 private:
  Vit network_;
  TeacherOptions options_;
};

/// Adds `weight * value` to the total and notes the term.
void add_term(Loss& loss, const std::string& name, const torch::Tensor& value, double weight);

}  // namespace tokensieve::nn
