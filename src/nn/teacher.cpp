#include "teacher.h"

#include "tokensieve/core/error.h"
#include "tokensieve/nn/attention_scores.h"
#include "tokensieve/nn/losses.h"

namespace tokensieve::nn {

void add_term(Loss& loss, const std::string& name, const torch::Tensor& value, double weight) {
  loss.terms.emplace_back(name, value.detach());
  loss.total = loss.total.defined() ? loss.total + weight * value : weight * value;
}

Teacher::Teacher(Vit network, const VitConfig& student, TeacherOptions options)
    : network_(std::move(network)), options_(options) {
  check_argument(options.logits_weight >= 0 && options.tokens_weight >= 0,
                 "[teacher] expected weights of 0 or more, got ", options.logits_weight, " and ",
                 options.tokens_weight);
  if (!network_) return;
  const VitConfig& config = network_->config();
  check_argument(config.num_classes == student.num_classes &&
                     config.image_height == student.image_height &&
                     config.image_width == student.image_width,
                 "[teacher] expected ", student.num_classes, " classes and images of ",
                 student.image_height, " x ", student.image_width, ", got ", config.num_classes,
                 " and ", config.image_height, " x ", config.image_width);
  const bool same_rows =
      config.embed_dim == student.embed_dim || (config.aux_head && student.aux_head);
  check_argument(
      options.tokens_weight == 0 || (same_rows && config.patch_size == student.patch_size),
      "[teacher] expected rows of ", student.embed_dim, " and patches of ", student.patch_size,
      " to compare tokens with, got ", config.embed_dim, " and ", config.patch_size,
      "; set the weight of tokens to 0");
  network_->eval();
  for (torch::Tensor& parameter : network_->parameters()) parameter.set_requires_grad(false);
}

void Teacher::to(torch::Device device) {
  if (network_) network_->to(device);
}

void Teacher::check_class_attention(const VitConfig& student) const {
  const VitConfig& config = network_->config();
  check_argument(config.class_token && config.num_heads.back() > 0,
                 "[teacher] expected a class token and an attention in the last block of ",
                 config.name, "; its attention is what the student learns from");
  check_argument(
      config.grid_height() == student.grid_height() && config.grid_width() == student.grid_width(),
      "[teacher] expected ", student.grid_height(), " x ", student.grid_width(),
      " patches to compare attention on, got ", config.grid_height(), " x ", config.grid_width());
}

TeacherAnswer Teacher::answer(const torch::Tensor& pixels, bool attention) {
  TeacherAnswer answer;
  if (!network_) return answer;
  if (!attention && options_.logits_weight == 0 && options_.tokens_weight == 0) return answer;
  torch::NoGradGuard guard;
  const VitConfig& config = network_->config();
  torch::Tensor x = network_->embed(pixels);
  AttentionTap tap;
  for (int i = 0; i < config.depth(); ++i) {
    const bool last = attention && i + 1 == config.depth();
    x = network_->mlp(i, network_->attend(i, x, {}, 0, last ? &tap : nullptr));
  }
  const torch::Tensor finished = network_->finish(x);
  answer.logits = network_->class_logits(finished).to(torch::kFloat);
  if (options_.tokens_weight > 0) {
    answer.tokens = finished.slice(1, config.num_prefix_tokens());
    answer.token_logits = network_->token_logits(answer.tokens);
  }
  if (attention) answer.class_attention = class_attention(tap).slice(1, config.num_prefix_tokens());
  return answer;
}

void Teacher::add_to(Loss& loss, VitImpl& student, const TeacherAnswer& answer,
                     const torch::Tensor& logits, const torch::Tensor& tokens,
                     const torch::Tensor& kept) {
  if (!network_) return;
  if (options_.logits_weight > 0) {
    add_term(loss, "distillation", distillation_loss(logits, answer.logits),
             options_.logits_weight);
  }
  if (options_.tokens_weight > 0) {
    const torch::Tensor mask =
        kept.defined() ? kept : torch::ones({tokens.size(0), tokens.size(1)}, tokens.options());
    const torch::Tensor own =
        answer.token_logits.defined() ? student.token_logits(tokens) : torch::Tensor();
    const torch::Tensor value =
        own.defined() ? token_distillation_loss(own.to(torch::kFloat),
                                                answer.token_logits.to(torch::kFloat), mask)
                      : token_loss(tokens.to(torch::kFloat), answer.tokens.to(torch::kFloat), mask);
    add_term(loss, "tokens", value, options_.tokens_weight);
  }
}

}  // namespace tokensieve::nn
