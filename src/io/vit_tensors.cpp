#include "tokensieve/io/vit_tensors.h"

#include <iterator>

#include "tensor_shapes.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

void add_block(TensorShapes& shapes, const VitConfig& config, int block) {
  const std::string scope = cat("blocks.", block);
  const std::int64_t dim = config.embed_dim;
  if (const std::int64_t attention = std::int64_t{config.num_heads[block]} * config.head_dim;
      attention > 0) {
    add_norm(shapes, scope + ".norm1", dim);
    add_linear(shapes, scope + ".attn.qkv", 3 * attention, dim, config.qkv_bias);
    add_linear(shapes, scope + ".attn.proj", dim, attention);
    if (config.layer_scale) shapes[scope + ".ls1.gamma"] = {dim};
  }
  if (const std::int64_t hidden = config.mlp_dim[block]; hidden > 0) {
    add_norm(shapes, scope + ".norm2", dim);
    add_linear(shapes, scope + ".mlp.fc1", hidden, dim);
    add_linear(shapes, scope + ".mlp.fc2", dim, hidden);
    if (config.layer_scale) shapes[scope + ".ls2.gamma"] = {dim};
  }
}

void add_patch_embed(TensorShapes& shapes, const VitConfig& config) {
  std::int64_t in = config.in_channels, patch = config.patch_size;
  if (config.stem_channels > 0) {
    for (int i = 0; i < std::ssize(kStemKernels); ++i) {
      const std::string scope = cat("patch_embed.conv", i + 1);
      shapes[scope + ".weight"] = {config.stem_channels, in, kStemKernels[i], kStemKernels[i]};
      shapes[scope + ".bias"] = {config.stem_channels};
      in = config.stem_channels;
    }
    patch /= kStemStride;
  }
  shapes["patch_embed.proj.weight"] = {config.embed_dim, in, patch, patch};
  if (!config.pre_norm) shapes["patch_embed.proj.bias"] = {config.embed_dim};
}

}  // namespace

std::map<std::string, std::vector<std::int64_t>> vit_tensors(const VitConfig& config) {
  TensorShapes shapes;
  const std::int64_t dim = config.embed_dim;
  add_patch_embed(shapes, config);
  if (config.class_token) shapes["cls_token"] = {1, 1, dim};
  if (config.distilled) shapes["dist_token"] = {1, 1, dim};
  if (config.num_register_tokens > 0) shapes["reg_token"] = {1, config.num_register_tokens, dim};
  const std::int64_t patches = std::int64_t{config.grid_height()} * config.grid_width();
  shapes["pos_embed"] = {1, patches + (config.prefix_positions ? config.num_prefix_tokens() : 0),
                         dim};
  if (config.pre_norm) add_norm(shapes, "norm_pre", dim);
  for (int block = 0; block < config.depth(); ++block) add_block(shapes, config, block);
  if (config.final_norm) add_norm(shapes, "norm", dim);
  if (config.fc_norm) add_norm(shapes, "fc_norm", dim);
  if (config.num_classes > 0) {
    add_linear(shapes, "head", config.num_classes, dim);
    if (config.distilled) add_linear(shapes, "head_dist", config.num_classes, dim);
    if (config.aux_head) add_linear(shapes, "aux_head", config.num_classes, dim);
  }
  return shapes;
}

}  // namespace tokensieve
