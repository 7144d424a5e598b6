#pragma once

#include "text_teacher.h"
#include "tokensieve/nn/text_method.h"

namespace tokensieve::nn {

/// LTP's two stages.
class LtpMethod : public Method {
 public:
  LtpMethod(LtpBert network, Bert teacher, LtpOptions options);

  LtpBertImpl& network() override { return *network_; }
  void to(torch::Device device) override;
  void begin_step(double epoch) override { soft_ = epoch < options_.soft_epochs; }
  std::vector<double> stages() const override { return {options_.soft_epochs}; }
  bool is_candidate(bool /*last*/) const override { return !soft_; }
  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override;
  torch::Tensor predict(const torch::Tensor& tokens) override;
  std::string recipe() const override;

 protected:
  /// The recipe's: thresholds, reference length and sites.
  std::string arguments() const;

  LtpBert network_;
  TextTeacher teacher_;
  LtpOptions options_;

 private:
  bool soft_ = false;
};

/// Adds the share of a text's tokens that is left at every site to the terms of `loss`.
void note_kept(Loss& loss, const SievedText& text, const torch::Tensor& tokens);

}  // namespace tokensieve::nn
