#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokensieve/core/attention_masks.h"

namespace tokensieve {

/// What the classifier of a ViT reads.
enum class Pooling {
  class_token,  ///< Row 0 after the final norm (timm's global_pool "token").
  mean,         ///< Mean over the rows after the prefix (timm's "avg"), then fc_norm.
};

/// LV-ViT's stem before the patch projection: three convolutions with "same" padding and ReLU.
inline constexpr int kStemKernels[] = {7, 3, 3};
/// Step of the stem's first convolution; all that follows works on a map that many times smaller.
inline constexpr int kStemStride = 2;

/// Sizes and switches of a ViT, DeiT, DINOv2 or LV-ViT network. Head count and MLP width are per
/// block and may be 0: that half of the block is then skipped.
struct VitConfig {
  std::string name = "vit";  ///< Architecture name, timm's where there is one.
  int image_height = 224;    ///< Pixels the position table was made for.
  int image_width = 224;
  int patch_size = 16;
  int in_channels = 3;
  int embed_dim = 384;
  int head_dim = 64;
  std::vector<int> num_heads = std::vector<int>(12, 6);   ///< Per block.
  std::vector<int> mlp_dim = std::vector<int>(12, 1536);  ///< Per block.
  int num_classes = 1000;  ///< 0: no classifier, logits are the pooled features.
  bool class_token = true;
  bool distilled = false;  ///< A distillation token and a second head (DeiT).
  int num_register_tokens = 0;
  bool prefix_positions = true;  ///< The position table has rows for all prefix tokens.
  bool qkv_bias = true;
  bool layer_scale = false;
  bool final_norm = true;  ///< Norm before pooling (timm "norm").
  bool fc_norm = false;    ///< Norm after pooling (timm "fc_norm").
  bool pre_norm = false;   ///< Norm before the first block (timm "norm_pre").
  int stem_channels = 0;   ///< Channels inside the convolution stem (LV-ViT); 0: there is none.
  float skip_lam = 1.0f;   ///< Both residual branches are divided by it (LV-ViT).
  /// A second classifier on every patch token (Token Labeling, arXiv 2104.10858):
  /// logits = head(class token) + 0.5 * max over the tokens that are left of aux_head(token).
  bool aux_head = false;
  AttentionMasks masks;  ///< Heads that see their neighbourhood only (MaiT); none by default.
  Pooling pooling = Pooling::class_token;
  float layer_norm_eps = 1e-6f;

  int depth() const { return static_cast<int>(num_heads.size()); }
  /// Protected rows in front: class, distillation and register tokens.
  int num_prefix_tokens() const {
    return (class_token ? 1 : 0) + (distilled ? 1 : 0) + num_register_tokens;
  }
  int grid_height() const { return image_height / patch_size; }
  int grid_width() const { return image_width / patch_size; }

  /// Throws std::invalid_argument when a size makes no sense, naming it.
  void validate() const;
  bool operator==(const VitConfig&) const = default;
};

}  // namespace tokensieve
