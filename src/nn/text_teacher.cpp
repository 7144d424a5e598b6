#include "text_teacher.h"

#include "tokensieve/core/error.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {

void freeze_teacher(BertImpl& teacher, const BertConfig& student) {
  const BertConfig& config = teacher.config();
  check_argument(config.num_classes == student.num_classes &&
                     config.vocab_size == student.vocab_size &&
                     config.max_positions >= student.max_positions,
                 "[teacher] expected ", student.num_classes, " classes, ", student.vocab_size,
                 " words and ", student.max_positions, " positions or more, got ",
                 config.num_classes, ", ", config.vocab_size, " and ", config.max_positions);
  teacher.eval();
  for (torch::Tensor& parameter : teacher.parameters()) parameter.set_requires_grad(false);
}

TextTeacher::TextTeacher(Bert network, const BertConfig& student, double weight)
    : network_(std::move(network)), weight_(weight) {
  check_argument(weight >= 0, "[teacher] expected a weight of 0 or more, got ", weight);
  if (network_) freeze_teacher(*network_, student);
}

void TextTeacher::to(torch::Device device) {
  if (network_) network_->to(device);
}

torch::Tensor TextTeacher::answer(const torch::Tensor& tokens) {
  torch::NoGradGuard guard;
  return network_->forward(tokens).to(torch::kFloat);
}

void TextTeacher::add_to(Loss& loss, const torch::Tensor& tokens, const torch::Tensor& logits) {
  if (!network_ || weight_ == 0) return;
  add_term(loss, "distillation", distillation_loss(logits, answer(tokens)), weight_);
}

}  // namespace tokensieve::nn
