#include "text_teacher.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/text_method.h"

namespace tokensieve::nn {
namespace {

class TextDenseMethod final : public Method {
 public:
  TextDenseMethod(Bert network, Bert teacher, double teacher_logits)
      : network_(std::move(network)),
        teacher_(std::move(teacher), network_->config(), teacher_logits) {}

  BertImpl& network() override { return *network_; }
  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& tokens, const torch::Tensor& targets) override {
    const torch::Tensor logits = network_->forward(tokens).to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, tokens, logits);
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& tokens) override { return network_->forward(tokens); }
  std::string recipe() const override { return "dense"; }

 private:
  Bert network_;
  TextTeacher teacher_;
};

}  // namespace

std::unique_ptr<Method> dense_method(Bert network, Bert teacher, double teacher_logits) {
  return std::make_unique<TextDenseMethod>(std::move(network), std::move(teacher), teacher_logits);
}

}  // namespace tokensieve::nn
