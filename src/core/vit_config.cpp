#include "tokensieve/core/vit_config.h"

#include <cmath>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

// Above every network there is, and small enough that no MAC count overflows 64 bits.
constexpr int kMaxPixels = 1 << 16;
constexpr int kMaxPatches = 1 << 18;
constexpr int kMaxChannels = 1 << 10;
constexpr int kMaxDim = 1 << 14;
constexpr int kMaxMlpDim = 1 << 16;
constexpr int kMaxDepth = 1 << 8;
constexpr int kMaxClasses = 1 << 24;

void check_size(const char* name, int value, int least, int most) {
  check_argument(value >= least && value <= most, "[vit_config] expected ", name, " in [", least,
                 ", ", most, "], got ", value);
}

void check_image_side(const char* name, int pixels, int patch_size) {
  check_size(name, pixels, patch_size, kMaxPixels);
  check_argument(pixels % patch_size == 0, "[vit_config] expected ", name,
                 " to be a multiple of patch_size ", patch_size, ", got ", pixels);
}

}  // namespace

void VitConfig::validate() const {
  check_size("patch_size", patch_size, 1, kMaxPixels);
  check_image_side("image_height", image_height, patch_size);
  check_image_side("image_width", image_width, patch_size);
  check_argument(grid_width() <= kMaxPatches / grid_height(), "[vit_config] expected at most ",
                 kMaxPatches, " patches, got ", grid_height(), " x ", grid_width());
  check_size("in_channels", in_channels, 1, kMaxChannels);
  check_size("stem_channels", stem_channels, 0, kMaxChannels);
  check_argument(stem_channels == 0 || patch_size % kStemStride == 0,
                 "[vit_config] expected a patch_size that is a multiple of ", kStemStride,
                 " after a convolution stem, got ", patch_size);
  check_size("embed_dim", embed_dim, 1, kMaxDim);
  check_size("head_dim", head_dim, 1, kMaxDim);
  check_size("the number of blocks", depth(), 1, kMaxDepth);
  check_argument(mlp_dim.size() == num_heads.size(),
                 "[vit_config] expected one mlp_dim for each of ", num_heads.size(),
                 " blocks, got ", mlp_dim.size());
  for (const int heads : num_heads) check_size("num_heads", heads, 0, kMaxDim / head_dim);
  for (const int width : mlp_dim) check_size("mlp_dim", width, 0, kMaxMlpDim);
  masks.validate(num_heads);
  check_size("num_classes", num_classes, 0, kMaxClasses);
  check_size("num_register_tokens", num_register_tokens, 0, kMaxDim);
  check_argument(class_token || !distilled,
                 "[vit_config] expected a class token beside the distillation token, got none");
  check_argument(!distilled || pooling == Pooling::class_token,
                 "[vit_config] expected class pooling beside the distillation token, got mean");
  check_argument(class_token || pooling != Pooling::class_token,
                 "[vit_config] expected a class token to pool, got none; use mean pooling");
  check_argument(
      !aux_head || (pooling == Pooling::class_token && !distilled && num_classes > 0),
      "[vit_config] expected a classifier of the class token alone beside aux_head, got ",
      num_classes == 0 ? "none"
      : distilled      ? "a distilled one"
                       : "mean pooling");
  check_argument(std::isfinite(skip_lam) && skip_lam > 0.0f,
                 "[vit_config] expected skip_lam above 0, got ", skip_lam);
  check_argument(std::isfinite(layer_norm_eps) && layer_norm_eps > 0.0f,
                 "[vit_config] expected layer_norm_eps above 0, got ", layer_norm_eps);
}

}  // namespace tokensieve
