#include "teacher.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {
namespace {

class DenseMethod final : public Method {
 public:
  DenseMethod(Vit network, Vit teacher, TeacherOptions options)
      : network_(std::move(network)), teacher_(std::move(teacher), network_->config(), options) {}

  VitImpl& network() override { return *network_; }

  void to(torch::Device device) override {
    network_->to(device);
    teacher_.to(device);
  }

  Loss loss(const torch::Tensor& pixels, const torch::Tensor& targets) override {
    const torch::Tensor finished = network_->features(pixels);
    const torch::Tensor logits = network_->class_logits(finished).to(torch::kFloat);
    Loss loss;
    add_term(loss, "classification", soft_cross_entropy(logits, targets), 1.0);
    teacher_.add_to(loss, *network_, teacher_.answer(pixels), logits,
                    finished.slice(1, network_->config().num_prefix_tokens()), {});
    return loss;
  }

  torch::Tensor predict(const torch::Tensor& pixels) override { return network_->forward(pixels); }
  std::string recipe() const override { return "dense"; }

 private:
  Vit network_;
  Teacher teacher_;
};

}  // namespace

std::unique_ptr<Method> dense_method(Vit network, Vit teacher, TeacherOptions options) {
  return std::make_unique<DenseMethod>(std::move(network), std::move(teacher), options);
}

}  // namespace tokensieve::nn
