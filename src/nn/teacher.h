#pragma once

#include "tokensieve/nn/method.h"

namespace tokensieve::nn {

/// What a teacher makes of a batch; undefined without a teacher.
struct TeacherAnswer {
  torch::Tensor logits;           ///< `[B, classes]`, float32.
  torch::Tensor tokens;           ///< `[B, N, C]` patch rows after the final norm.
  torch::Tensor token_logits;     ///< `[B, N, classes]` of its second head, if it has one.
  torch::Tensor class_attention;  ///< `[B, N]` of its last block, if it was asked for.
};

/// A frozen network and what a student pays for not doing as it does.
class Teacher {
 public:
  /// `network` may be null. Throws std::invalid_argument when it does not fit the student's config.
  Teacher(Vit network, const VitConfig& student, TeacherOptions options);

  void to(torch::Device device);
  explicit operator bool() const { return static_cast<bool>(network_); }
  /// Throws std::invalid_argument unless the teacher's last block has a class attention over as
  /// many patches as the student has.
  void check_class_attention(const VitConfig& student) const;
  /// `attention`: the class token's to the patches, too. Undefined where no term needs it.
  TeacherAnswer answer(const torch::Tensor& pixels, bool attention = false);
  /// Adds its terms to `loss`, none without a teacher; `kept` `[B, N]`, undefined: all tokens.
  /// `tokens`: the patch rows of `student` after its final norm. Where both networks have a second
  /// head (LV-ViT), its answers are compared instead of the rows.
  void add_to(Loss& loss, VitImpl& student, const TeacherAnswer& answer,
              const torch::Tensor& logits, const torch::Tensor& tokens, const torch::Tensor& kept);

 private:
  Vit network_;
  TeacherOptions options_;
};

/// Adds `weight * value` to the total and notes the term.
void add_term(Loss& loss, const std::string& name, const torch::Tensor& value, double weight);

}  // namespace tokensieve::nn
