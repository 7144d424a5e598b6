#include "model/measure_vit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "model/check_tensors.h"
#include "model/tensor_sizes.h"
#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/vit_tensors.h"

namespace tokensieve {
namespace {

constexpr int64_t kMaxPatch = 1024;
constexpr std::string_view kKind = "a ViT, DeiT or DINOv2";

/// Why a tensor that other ViTs have is refused.
struct KnownStranger {
  std::string_view part_of_name;
  std::string_view reason;
};
constexpr KnownStranger kStrangers[] = {
    {"pre_logits.", "the representation layer of old checkpoints is not supported"},
    {"attn_pool.", "attention pooling is not supported"},
    {".attn.q_norm.", "normalised queries and keys are not supported"},
    {".attn.k_norm.", "normalised queries and keys are not supported"},
    {".attn.norm.", "a norm inside attention is not supported"},
    {".mlp.norm.", "a norm inside the MLP is not supported"},
    {".mlp.fc1_g.", "gated MLPs (SwiGLU) are not supported"},
    {".mlp.w12.", "gated MLPs (SwiGLU) are not supported"},
    {"rel_pos", "relative positions are not supported"},
    {".attns.", "parallel blocks are not supported"},
    {".in_proj.", "parallel blocks are not supported"},
    {"score_predictor.",
     "DynamicViT's predictors belong into sieve.safetensors; convert the checkpoint with "
     "python -m tokensieve.convert"},
    {"patch_embed.backbone.", "this convolutional stem is not supported"},
    {"patch_embed.bn", "batch norms must be folded; convert it with python -m tokensieve.convert"},
};

void refuse_strangers(const WeightSource& weights, const std::string& file) {
  for (const std::string& name : weights.names()) {
    for (const auto& [part_of_name, reason] : kStrangers) {
      if (name.find(part_of_name) != name.npos) fail_unknown(file, kKind, name, reason);
    }
  }
}

/// Measures the tensors of one file.
class Measure : TensorSizes {
 public:
  Measure(VitConfig config, const VitHints& hints, const WeightSource& weights,
          const std::string& file)
      : TensorSizes(weights, file), config_(std::move(config)), hints_(hints) {}

  VitConfig run() {
    patch_embed();
    config_.pre_norm = contains("norm_pre.weight");
    config_.class_token = contains("cls_token");
    config_.distilled = contains("dist_token");
    config_.num_register_tokens =
        contains("reg_token") ? static_cast<int>(shape("reg_token", 3)[1]) : 0;
    config_.final_norm = contains("norm.weight");
    config_.fc_norm = contains("fc_norm.weight");
    config_.num_classes =
        contains("head.weight") ? static_cast<int>(shape("head.weight", 2)[0]) : 0;
    config_.aux_head = contains("aux_head.weight");
    check(!(config_.final_norm && config_.fc_norm), "fc_norm.weight",
          "to be there only where norm.weight is not", "both");
    blocks();
    positions();
    return std::move(config_);
  }

 private:
  void patch_embed() {
    const auto patch = shape("patch_embed.proj.weight", 4);
    // These are divisors and factors below, before the whole is validated.
    check(patch[0] > 0 && patch[2] > 0 && patch[2] <= kMaxPatch && patch[2] == patch[3],
          "patch_embed.proj.weight", cat("to have square patches of 1 to ", kMaxPatch, " pixels"),
          shape_text(patch));
    config_.embed_dim = static_cast<int>(patch[0]);
    config_.in_channels = static_cast<int>(patch[1]);
    config_.patch_size = static_cast<int>(patch[2]);
    if (!contains("patch_embed.conv1.weight")) return;
    const auto first = shape("patch_embed.conv1.weight", 4);
    config_.stem_channels = static_cast<int>(first[0]);
    config_.in_channels = static_cast<int>(first[1]);
    config_.patch_size *= kStemStride;
    check(config_.stem_channels > 0, "patch_embed.conv1.weight", "to have channels", "none");
  }

  bool any_block_has(std::string_view part) const {
    for (int block = 0; block < config_.depth(); ++block) {
      if (contains(cat("blocks.", block, ".", part))) return true;
    }
    return false;
  }

  void blocks() {
    const int depth = this->depth("blocks.");
    config_.num_heads.assign(depth, 0);
    config_.mlp_dim.assign(depth, 0);
    check(hints_.block_heads.empty() || std::ssize(hints_.block_heads) == depth, "num_heads",
          cat("for each of ", depth, " blocks"), cat(hints_.block_heads.size()));
    config_.layer_scale = any_block_has("ls1.gamma") || any_block_has("ls2.gamma");
    config_.qkv_bias = any_block_has("attn.qkv.bias");
    config_.head_dim = head_dim();
    for (int block = 0; block < depth; ++block) {
      config_.num_heads[block] = heads(block);
      config_.mlp_dim[block] = mlp_dim(block);
    }
  }

  /// Rows of a block's query part, which is heads times head_dim; 0 if the block has no attention.
  int64_t query_rows(int block) const {
    const std::string name = cat("blocks.", block, ".attn.qkv.weight");
    if (!contains(name)) return 0;
    const auto qkv = shape(name, 2);
    check(qkv[0] % 3 == 0, name, "to have a multiple of 3 rows", shape_text(qkv));
    return qkv[0] / 3;
  }

  int head_dim() const {
    for (int block = 0; block < config_.depth() && !hints_.block_heads.empty(); ++block) {
      const int heads = hints_.block_heads[block];
      if (heads > 0 && query_rows(block) > 0) return static_cast<int>(query_rows(block) / heads);
    }
    check(hints_.num_heads > 0 && config_.embed_dim % hints_.num_heads == 0, "num_heads",
          cat("to divide the width ", config_.embed_dim), cat(hints_.num_heads));
    return config_.embed_dim / hints_.num_heads;
  }

  int heads(int block) const {
    const int64_t rows = query_rows(block);
    const int64_t heads = config_.head_dim > 0 ? rows / config_.head_dim : 0;
    const bool as_hinted = hints_.block_heads.empty() || hints_.block_heads[block] == heads;
    check(heads * config_.head_dim == rows && as_hinted, cat("blocks.", block, ".attn.qkv.weight"),
          hints_.block_heads.empty() ? cat("to have 3 * heads * ", config_.head_dim, " rows")
                                     : cat("to have the ", hints_.block_heads[block],
                                           " heads of config.json, of one width"),
          cat(3 * rows));
    return static_cast<int>(heads);
  }

  int mlp_dim(int block) const {
    const std::string name = cat("blocks.", block, ".mlp.fc1.weight");
    if (!contains(name)) return 0;
    const int64_t hidden = shape(name, 2)[0];
    const std::string out = cat("blocks.", block, ".mlp.fc2.weight");
    const int64_t used = shape(out, 2)[1];
    check(hidden != 2 * used || used == 0, name, cat("to have the ", used, " rows that fc2 reads"),
          cat(hidden, "; gated MLPs (SwiGLU) are not supported"));
    return static_cast<int>(hidden);
  }

  void positions() {
    const auto table = shape("pos_embed", 3);
    const int prefix = config_.num_prefix_tokens();
    for (const auto& [height, width] : hints_.image_sizes) {
      const int64_t patches =
          int64_t{height / config_.patch_size} * int64_t{width / config_.patch_size};
      if (table[1] == patches || table[1] == patches + prefix) {
        return set_grid(height / config_.patch_size, width / config_.patch_size, table[1]);
      }
    }
    // Only as the caller supposes: 3 x 3 patches without a class row are as many as 2 x 4 with one.
    const int64_t patches =
        std::max<int64_t>(table[1] - (config_.prefix_positions ? prefix : 0), 0);
    const auto side = static_cast<int64_t>(std::lround(std::sqrt(patches)));
    if (side > 0 && side * side == patches) {
      return set_grid(static_cast<int>(side), static_cast<int>(side), table[1]);
    }
    std::string sizes;
    for (const auto& [height, width] : hints_.image_sizes) {
      sizes += cat(sizes.empty() ? "" : " or ", height, " x ", width);
    }
    check(false, "pos_embed",
          sizes.empty() ? "to be for a square image" : cat("to be for ", sizes, " pixels"),
          cat(table[1], " rows, ", prefix, " prefix tokens and patches of ", config_.patch_size));
  }

  void set_grid(int height, int width, int64_t rows) {
    config_.image_height = height * config_.patch_size;
    config_.image_width = width * config_.patch_size;
    config_.prefix_positions = rows != int64_t{height} * width || config_.num_prefix_tokens() == 0;
  }

  VitConfig config_;
  const VitHints& hints_;
};

}  // namespace

VitConfig measure_vit(VitConfig config, const VitHints& hints, const WeightSource& weights,
                      const std::string& file) {
  refuse_strangers(weights, file);  // first, since they say more than the sizes that they upset
  config = Measure(std::move(config), hints, weights, file).run();
  try {
    config.validate();
  } catch (const std::invalid_argument& error) {
    fail_runtime("[model_folder] ", file, ": ", error.what());
  }
  check_tensors(config, weights, file);
  return config;
}

void check_tensors(const VitConfig& config, const WeightSource& weights, const std::string& file) {
  check_tensors(vit_tensors(config), weights, kKind, file);
}

}  // namespace tokensieve
