#include "tokensieve/nn/vit.h"

#include <cmath>
#include <limits>

#include "drop_path.h"
#include "mask_matrix.h"
#include "sample_attention.h"
#include "scope.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/masked_softmax.h"

namespace tokensieve::nn {
namespace {

constexpr double kLayerScaleInit = 1e-5;

torch::nn::LayerNorm layer_norm(const VitConfig& config) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({config.embed_dim}).eps(config.layer_norm_eps));
}

/// gamma (x W^T + b): LayerScale on the small weights instead of the many rows.
torch::Tensor scaled_linear(Linear& layer, const torch::Tensor& x, const torch::Tensor& gamma) {
  if (!gamma.defined()) return layer->forward(x);
  return torch::linear(x, layer->weight * gamma.unsqueeze(1), layer->bias * gamma);
}

VitConfig validated(VitConfig config) {
  config.validate();
  return config;
}

torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                              int64_t padding, bool bias) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).bias(bias));
}

}  // namespace

AttentionImpl::AttentionImpl(int64_t dim, int64_t num_heads, int64_t head_dim, bool qkv_bias)
    : num_heads_(num_heads), head_dim_(head_dim) {
  qkv_ = register_module("qkv", Linear(dim, 3 * num_heads * head_dim, qkv_bias));
  proj_ = register_module("proj", Linear(num_heads * head_dim, dim));
}

void AttentionImpl::set_mask(const torch::Tensor& mask, std::span<const int> masked, bool hard) {
  hard_ = hard;
  mask_ = torch::Tensor();
  if (masked.empty()) return;
  mask_ = torch::ones({num_heads_, mask.size(0), mask.size(1)}, mask.options());
  for (const int head : masked) mask_[head] = mask;
}

torch::Tensor AttentionImpl::masked(const torch::Tensor& logits) const {
  if (!mask_.defined()) return logits;
  check_argument(mask_.size(1) == logits.size(2), "[attention] expected the ", mask_.size(1),
                 " rows that masked heads were made for, got ", logits.size(2),
                 "; rows that have left go with masks in the engine only");
  const torch::Tensor mask = mask_.to(logits.device());
  return hard_ ? logits.masked_fill(mask == 0, -std::numeric_limits<double>::infinity())
               : logits * mask.to(logits.scalar_type());
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x, const torch::Tensor& policy,
                                     double eps, const torch::Tensor& gamma, AttentionTap* tap) {
  const int64_t batch = x.size(0), tokens = x.size(1);
  const torch::Tensor qkv = qkv_(x).view({batch, tokens, 3, num_heads_, head_dim_});
  if (!policy.defined() && !mask_.defined() && tap == nullptr) {
    return scaled_linear(proj_, sample_attention(qkv, {}, {}, 0).outputs, gamma);
  }
  const auto parts = qkv.permute({2, 0, 3, 1, 4}).unbind(0);
  // Written out: on a CPU the fused attention's backward pass alone took a third of a step.
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim_));
  const torch::Tensor logits = masked(torch::matmul(parts[0] * scale, parts[1].transpose(-2, -1)));
  const torch::Tensor attention =
      policy.defined() ? masked_softmax(logits, policy, eps) : torch::softmax(logits, -1);
  const torch::Tensor attended = torch::matmul(attention, parts[2]);
  if (tap) *tap = {attention, attended};
  return scaled_linear(
      proj_, attended.transpose(1, 2).reshape({batch, tokens, num_heads_ * head_dim_}), gamma);
}

BlockImpl::BlockImpl(const VitConfig& config, int index, double drop_path)
    : drop_path_(drop_path), skip_lam_(config.skip_lam) {
  const auto gamma = [&](const std::string& name) {
    if (!config.layer_scale) return torch::Tensor();
    return scope(*this, name)
        .register_parameter("gamma", torch::full({config.embed_dim}, kLayerScaleInit));
  };
  if (const int heads = config.num_heads[index]; heads > 0) {
    norm1_ = register_module("norm1", layer_norm(config));
    attention_ = register_module(
        "attn", Attention(config.embed_dim, heads, config.head_dim, config.qkv_bias));
    gamma1_ = gamma("ls1");
  }
  if (const int hidden = config.mlp_dim[index]; hidden > 0) {
    norm2_ = register_module("norm2", layer_norm(config));
    torch::nn::Module& mlp = scope(*this, "mlp");
    fc1_ = mlp.register_module("fc1", Linear(config.embed_dim, hidden));
    fc2_ = mlp.register_module("fc2", Linear(hidden, config.embed_dim));
    gamma2_ = gamma("ls2");
  }
}

void BlockImpl::set_mask(const torch::Tensor& mask, std::span<const int> masked, bool hard) {
  if (attention_) attention_->set_mask(mask, masked, hard);
}

torch::Tensor BlockImpl::add(const torch::Tensor& x, const torch::Tensor& branch) const {
  return is_training() ? add_branch(x, branch, drop_path_) : x + branch;
}

torch::Tensor BlockImpl::scale(const torch::Tensor& gamma, const torch::Tensor& x) const {
  if (skip_lam_ == 1) return gamma;
  return gamma.defined() ? gamma / skip_lam_ : torch::full({x.size(2)}, 1 / skip_lam_, x.options());
}

torch::Tensor BlockImpl::attend(const torch::Tensor& x, const torch::Tensor& policy, double eps,
                                AttentionTap* tap) {
  if (!attention_) return x;
  return add(x, attention_->forward(norm1_(x), policy, eps, scale(gamma1_, x), tap));
}

torch::Tensor BlockImpl::mlp(const torch::Tensor& x) {
  if (!fc1_) return x;
  return add(x, scaled_linear(fc2_, torch::gelu(fc1_(norm2_(x))), scale(gamma2_, x)));
}

torch::Tensor BlockImpl::forward(const torch::Tensor& x, const torch::Tensor& policy, double eps) {
  return mlp(attend(x, policy, eps));
}

VitImpl::VitImpl(const VitConfig& config, double drop_path) : config_(validated(config)) {
  check_argument(drop_path >= 0 && drop_path < 1, "[vit] expected drop_path in [0, 1), got ",
                 drop_path);
  const int64_t dim = config_.embed_dim;
  const auto token = [&](const std::string& name, int64_t rows) {
    return register_parameter(name, torch::randn({1, rows, dim}) * kInitStd);
  };
  if (config_.class_token) class_token_ = token("cls_token", 1);
  if (config_.distilled) distillation_token_ = token("dist_token", 1);
  if (config_.num_register_tokens > 0) {
    register_tokens_ = token("reg_token", config_.num_register_tokens);
  }
  const int64_t patches = int64_t{config_.grid_height()} * config_.grid_width();
  positions_ =
      token("pos_embed", patches + (config_.prefix_positions ? config_.num_prefix_tokens() : 0));
  torch::nn::Module& patch_embed = scope(*this, "patch_embed");
  int64_t channels = config_.in_channels, patch = config_.patch_size;
  if (config_.stem_channels > 0) {
    for (int i = 0; i < 3; ++i) {
      const int64_t kernel = kStemKernels[i], stride = i == 0 ? kStemStride : 1;
      stem_.push_back(patch_embed.register_module(
          "conv" + std::to_string(i + 1),
          convolution(channels, config_.stem_channels, kernel, stride, kernel / 2, true)));
      channels = config_.stem_channels;
    }
    patch /= kStemStride;
  }
  projection_ = patch_embed.register_module(
      "proj", convolution(channels, dim, patch, patch, 0, !config_.pre_norm));
  if (config_.pre_norm) norm_pre_ = register_module("norm_pre", layer_norm(config_));
  torch::nn::Module& blocks = scope(*this, "blocks");
  for (int i = 0; i < config_.depth(); ++i) {
    const double rate = config_.depth() > 1 ? drop_path * i / (config_.depth() - 1) : drop_path;
    blocks_.push_back(blocks.register_module(std::to_string(i), Block(config_, i, rate)));
  }
  set_masks(config_.masks);
  if (config_.final_norm) norm_ = register_module("norm", layer_norm(config_));
  if (config_.fc_norm) fc_norm_ = register_module("fc_norm", layer_norm(config_));
  if (config_.num_classes > 0) {
    head_ = register_module("head", Linear(dim, config_.num_classes));
    if (config_.distilled)
      head_dist_ = register_module("head_dist", Linear(dim, config_.num_classes));
    if (config_.aux_head) aux_head_ = register_module("aux_head", Linear(dim, config_.num_classes));
  }
}

void VitImpl::set_masks(const AttentionMasks& masks) {
  masks.validate(config_.num_heads);
  config_.masks = masks;
  const torch::Tensor mask = masks.heads.empty() ? torch::Tensor() : mask_matrix(config_, masks);
  for (int i = 0; i < config_.depth(); ++i) {
    blocks_[static_cast<size_t>(i)]->set_mask(mask, masks.of_block(i),
                                              masks.kind == AttentionMasks::Kind::hard);
  }
}

torch::Tensor VitImpl::embed(const torch::Tensor& pixels) {
  return with_prefix(embed_patches(pixels));
}

torch::Tensor VitImpl::embed_patches(const torch::Tensor& pixels) {
  check_argument(pixels.dim() == 4 && pixels.size(1) == config_.in_channels &&
                     pixels.size(2) == config_.image_height &&
                     pixels.size(3) == config_.image_width,
                 "[vit] expected pixels [B, ", config_.in_channels, ", ", config_.image_height,
                 ", ", config_.image_width, "], got ", pixels.sizes());
  torch::Tensor maps = pixels;
  for (torch::nn::Conv2d& layer : stem_) maps = torch::relu(layer(maps));
  return projection_(maps).flatten(2).transpose(1, 2);
}

torch::Tensor VitImpl::with_prefix(const torch::Tensor& patches) {
  torch::Tensor x = patches;
  const int64_t batch = x.size(0), dim = x.size(2);
  if (!config_.prefix_positions) x = x + positions_;
  std::vector<torch::Tensor> rows;
  for (const auto& token : {class_token_, distillation_token_, register_tokens_}) {
    if (token.defined()) rows.push_back(token.expand({batch, -1, dim}));
  }
  rows.push_back(x);
  x = rows.size() == 1 ? x : torch::cat(rows, 1);
  if (config_.prefix_positions) x = x + positions_;
  return norm_pre_ ? norm_pre_(x) : x;
}

torch::Tensor VitImpl::block(int index, const torch::Tensor& rows, const torch::Tensor& policy,
                             double eps) {
  return blocks_.at(static_cast<size_t>(index))(rows, policy, eps);
}

torch::Tensor VitImpl::attend(int index, const torch::Tensor& rows, const torch::Tensor& policy,
                              double eps, AttentionTap* tap) {
  return blocks_.at(static_cast<size_t>(index))->attend(rows, policy, eps, tap);
}

torch::Tensor VitImpl::mlp(int index, const torch::Tensor& rows) {
  return blocks_.at(static_cast<size_t>(index))->mlp(rows);
}

torch::Tensor VitImpl::finish(const torch::Tensor& rows) { return norm_ ? norm_(rows) : rows; }

torch::Tensor VitImpl::classify(const torch::Tensor& finished, const torch::Tensor& kept) {
  const bool tokens = config_.pooling == Pooling::class_token;
  const torch::Tensor patches = finished.slice(1, config_.num_prefix_tokens());
  const torch::Tensor mask =
      kept.defined() ? kept.detach().to(patches.scalar_type()).unsqueeze(-1) : torch::Tensor();
  const auto mean = [&] {
    if (!mask.defined()) return patches.mean(1);
    return (patches * mask).sum(1) / mask.sum(1).clamp_min(1);
  };
  const auto pooled = [&](int64_t token) {
    const torch::Tensor x = tokens ? finished.select(1, token) : mean();
    return fc_norm_ ? fc_norm_(x) : x;
  };
  if (!head_) return pooled(0);
  torch::Tensor logits = head_(pooled(0));
  if (aux_head_) {
    torch::Tensor scores = token_logits(patches);
    if (mask.defined()) {
      scores = scores.masked_fill(mask < 0.5, -std::numeric_limits<float>::infinity());
    }
    logits = logits + 0.5 * scores.amax(1);
  }
  return head_dist_ ? (logits + head_dist_(pooled(1))) / 2 : logits;
}

torch::Tensor VitImpl::class_logits(const torch::Tensor& finished, const torch::Tensor& kept) {
  if (!aux_head_) return classify(finished, kept);
  const torch::Tensor x = finished.select(1, 0);
  return head_(fc_norm_ ? fc_norm_(x) : x);
}

torch::Tensor VitImpl::token_logits(const torch::Tensor& patches) {
  return aux_head_ ? aux_head_(patches) : torch::Tensor();
}

torch::Tensor VitImpl::patch_logits(const torch::Tensor& patches) {
  if (aux_head_ || !head_) return token_logits(patches);
  return head_(fc_norm_ ? fc_norm_(patches) : patches);
}

torch::Tensor VitImpl::features(const torch::Tensor& pixels) {
  torch::Tensor x = embed(pixels);
  for (int i = 0; i < config_.depth(); ++i) x = block(i, x);
  return finish(x);
}

torch::Tensor VitImpl::forward(const torch::Tensor& pixels) { return classify(features(pixels)); }

}  // namespace tokensieve::nn
