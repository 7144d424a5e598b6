#pragma once

#include "teacher.h"
#include "tokensieve/nn/bert.h"

namespace tokensieve::nn {

/// Freezes a teacher. Throws std::invalid_argument when it does not fit the student's config.
void freeze_teacher(BertImpl& teacher, const BertConfig& student);

/// A frozen text network and what a student pays for not answering as it does.
class TextTeacher {
 public:
  /// `network` may be null. Throws std::invalid_argument as freeze_teacher does and for a weight
  /// below 0.
  TextTeacher(Bert network, const BertConfig& student, double weight);

  void to(torch::Device device);
  /// Adds its term to `loss`, none without a teacher.
  void add_to(Loss& loss, const torch::Tensor& tokens, const torch::Tensor& logits);

 private:
  torch::Tensor answer(const torch::Tensor& tokens);

  Bert network_;
  double weight_;
};

}  // namespace tokensieve::nn
