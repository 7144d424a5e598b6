#pragma once

#include <torch/torch.h>

#include <span>
#include <vector>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/nn/linear.h"

namespace tokensieve::nn {

/// What an attention hands over beside its rows, with gradients; the functions of
/// attention_scores.h make scores of it.
struct AttentionTap {
  torch::Tensor probabilities;  ///< `[B, H, n, n]`, a row for each query.
  torch::Tensor outputs;        ///< `[B, H, n, head_dim]`: probabilities times values.
};

/// Self-attention with a fused qkv layer (timm's `attn`).
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(int64_t dim, int64_t num_heads, int64_t head_dim, bool qkv_bias);
  /// From now on the heads of `masked` see only what `mask` `[n, n]` (1 or 0) lets them: other
  /// logits become 0, or with `hard` minus infinity (MaiT, arXiv 2207.03006 eq. 2).
  void set_mask(const torch::Tensor& mask, std::span<const int> masked, bool hard);
  /// `x` `[B, N, C]` to `[B, N, C]`. With `policy` `[B, N]` in [0, 1], rows attend to kept tokens
  /// and to themselves only (masked_softmax.h, with `eps`); gradients reach `policy`. `gamma` `[C]`
  /// scales the result (LayerScale). Fills `tap` where there is one.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& policy = {}, double eps = 0,
                        const torch::Tensor& gamma = {}, AttentionTap* tap = nullptr);

 private:
  torch::Tensor masked(const torch::Tensor& logits) const;

  int64_t num_heads_, head_dim_;
  Linear qkv_{nullptr}, proj_{nullptr};
  torch::Tensor mask_;  ///< [H, n, n], 1 in heads without a mask; undefined without any.
  bool hard_ = false;
};
TORCH_MODULE(Attention);

/// One pre-norm transformer block; a half with no heads, or with an MLP of width 0, is left out.
class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(const VitConfig& config, int index, double drop_path);
  /// See AttentionImpl::set_mask.
  void set_mask(const torch::Tensor& mask, std::span<const int> masked, bool hard);
  /// `[B, N, C]` to `[B, N, C]`; `policy` and `eps` as in AttentionImpl::forward.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& policy = {}, double eps = 0);
  /// The two halves of forward(), residuals included.
  torch::Tensor attend(const torch::Tensor& x, const torch::Tensor& policy = {}, double eps = 0,
                       AttentionTap* tap = nullptr);
  torch::Tensor mlp(const torch::Tensor& x);

 private:
  torch::Tensor add(const torch::Tensor& x, const torch::Tensor& branch) const;
  /// Factor of a branch's features: LayerScale / skip_lam, undefined for 1.
  torch::Tensor scale(const torch::Tensor& gamma, const torch::Tensor& x) const;

  double drop_path_, skip_lam_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  Attention attention_{nullptr};
  Linear fc1_{nullptr}, fc2_{nullptr};
  torch::Tensor gamma1_, gamma2_;
};
TORCH_MODULE(Block);

/// A ViT, DeiT, DINOv2 or LV-ViT network that can be trained: every layout the engine reads.
/// Parameters have timm's names (`vit_tensors()` lists them), so named_parameters() is a timm state
/// dict.
class VitImpl : public torch::nn::Module {
 public:
  /// Weights start as timm's do: truncated normal of std 0.02, zero biases, LayerScale 1e-5.
  /// `drop_path` grows linearly from 0 at the first block to its value at the last (arXiv
  /// 1603.09382). Throws std::invalid_argument for a config that makes no sense.
  explicit VitImpl(const VitConfig& config, double drop_path = 0.0);

  const VitConfig& config() const { return config_; }
  /// Masks heads from now on (MaiT); those of the config are set from the start. Throws
  /// std::invalid_argument for heads that are not there.
  void set_masks(const AttentionMasks& masks);

  /// Normalised pixels `[B, 3, H, W]` to rows with positions, `[B, prefix + N, C]`: with_prefix of
  /// embed_patches.
  torch::Tensor embed(const torch::Tensor& pixels);
  /// Normalised pixels to patch rows `[B, N, C]`, in which MixToken mixes.
  torch::Tensor embed_patches(const torch::Tensor& pixels);
  /// Patch rows to rows with prefix tokens and positions.
  torch::Tensor with_prefix(const torch::Tensor& patches);
  /// Block `index` on rows; see BlockImpl::forward.
  torch::Tensor block(int index, const torch::Tensor& rows, const torch::Tensor& policy = {},
                      double eps = 0);
  /// The attention half of block `index`, which a method that drops rows before the MLP needs
  /// apart.
  torch::Tensor attend(int index, const torch::Tensor& rows, const torch::Tensor& policy = {},
                       double eps = 0, AttentionTap* tap = nullptr);
  /// The other half.
  torch::Tensor mlp(int index, const torch::Tensor& rows);
  /// The final norm over all rows `[B, n, C]`.
  torch::Tensor finish(const torch::Tensor& rows);
  /// finish()'s rows to logits `[B, classes]` (or pooled features without a head). Distilled: the
  /// mean of both heads. LV-ViT: head + max over the patches of aux_head / 2.
  /// With `kept` `[B, N]` (1 or 0), patches that are not kept count for nothing.
  torch::Tensor classify(const torch::Tensor& finished, const torch::Tensor& kept = {});

  /// What is trained on the labels: classify()'s logits, but for a network with a second head the
  /// class token's alone, as LV-ViT's code has it.
  torch::Tensor class_logits(const torch::Tensor& finished, const torch::Tensor& kept = {});
  /// The second head's answer for every patch row `[B, N, C]` after the final norm,
  /// `[B, N, classes]`; undefined for a network without one.
  torch::Tensor token_logits(const torch::Tensor& patches);
  /// token_logits() or, without a second head, the head's answer for every patch row: the
  /// classifier as a convolution of 1 x 1 over the last feature map. With Pooling::mean and no norm
  /// after it, the mean of these is what classify() gives.
  torch::Tensor patch_logits(const torch::Tensor& patches);

  /// Pixels to rows after the last block and the final norm, `[B, prefix + N, C]`.
  torch::Tensor features(const torch::Tensor& pixels);
  /// Pixels to logits.
  torch::Tensor forward(const torch::Tensor& pixels);

 private:
  VitConfig config_;
  std::vector<torch::nn::Conv2d> stem_;  ///< LV-ViT's, batch norms folded.
  torch::nn::Conv2d projection_{nullptr};
  torch::Tensor class_token_, distillation_token_, register_tokens_, positions_;
  torch::nn::LayerNorm norm_pre_{nullptr}, norm_{nullptr}, fc_norm_{nullptr};
  std::vector<Block> blocks_;
  Linear head_{nullptr}, head_dist_{nullptr}, aux_head_{nullptr};
};
TORCH_MODULE(Vit);

}  // namespace tokensieve::nn
