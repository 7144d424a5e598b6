#include "vit_weights.h"

#include <algorithm>
#include <cmath>

#include "positions.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/predictor_tensors.h"

namespace tokensieve {
namespace {

// Grids whose resampled positions are kept.
constexpr size_t kCachedGrids = 16;

std::vector<float> read_vector(const WeightSource& source, const std::string& name, int64_t size) {
  return source.read(name, std::vector<int64_t>{size});
}

/// Factor of each output feature of a residual branch: LayerScale / skip_lam, or empty for 1.
std::vector<float> residual_scale(const VitConfig& config, const WeightSource& source,
                                  const std::string& layer_scale) {
  std::vector<float> scale;
  if (config.layer_scale)
    scale = read_vector(source, layer_scale, config.embed_dim);
  else if (config.skip_lam != 1.0f)
    scale.assign(static_cast<size_t>(config.embed_dim), 1.0f);
  for (float& factor : scale) factor /= config.skip_lam;
  return scale;
}

BlockWeights read_block(const VitConfig& config, int layer, const WeightSource& source,
                        LinearCache& cache) {
  const std::string scope = "blocks." + std::to_string(layer);
  const int64_t dim = config.embed_dim;
  const int64_t width = int64_t{config.num_heads[layer]} * config.head_dim;
  const int64_t hidden = config.mlp_dim[layer];
  BlockWeights block;
  block.num_heads = config.num_heads[layer];
  if (width > 0) {
    std::vector<float> query_scale(static_cast<size_t>(3 * width), 1.0f);
    std::fill_n(query_scale.begin(), width, 1.0f / std::sqrt(static_cast<float>(config.head_dim)));
    block.norm1 = read_norm(source, scope + ".norm1", dim);
    block.qkv.emplace(source, scope + ".attn.qkv", dim, 3 * width, cache,
                      LinearOptions{.bias = config.qkv_bias, .output_scale = query_scale});
    const auto scale = residual_scale(config, source, scope + ".ls1.gamma");
    block.proj.emplace(source, scope + ".attn.proj", width, dim, cache,
                       LinearOptions{.output_scale = scale});
  }
  if (hidden > 0) {
    block.norm2 = read_norm(source, scope + ".norm2", dim);
    block.fc1.emplace(source, scope + ".mlp.fc1", dim, hidden, cache);
    const auto scale = residual_scale(config, source, scope + ".ls2.gamma");
    block.fc2.emplace(source, scope + ".mlp.fc2", hidden, dim, cache,
                      LinearOptions{.output_scale = scale});
  }
  return block;
}

}  // namespace

VitWeights::VitWeights(const VitConfig& config, const WeightSource& source,
                       const WeightSource* predictor_source)
    : cache(kCachedPrimitives),
      grid_height_(config.grid_height()),
      grid_width_(config.grid_width()),
      dim_(config.embed_dim) {
  if (config.stem_channels > 0) {
    stem.emplace(config, source);
  } else {
    const int64_t patch = int64_t{config.in_channels} * config.patch_size * config.patch_size;
    patch_embed.emplace(source, "patch_embed.proj", patch, dim_, cache,
                        LinearOptions{.bias = source.contains("patch_embed.proj.bias")});
  }

  // A table with rows for prefix tokens has them for all, registers too (timm's no_embed_class
  // off).
  const int64_t with_position = config.prefix_positions ? config.num_prefix_tokens() : 0;
  positions_ = source.read(
      "pos_embed", std::vector<int64_t>{1, with_position + grid_height_ * grid_width_, dim_});
  const auto add_prefix = [&](const char* name, int64_t count) {
    const auto token = source.read(name, std::vector<int64_t>{1, count, dim_});
    prefix.insert(prefix.end(), token.begin(), token.end());
  };
  if (config.class_token) add_prefix("cls_token", 1);
  if (config.distilled) add_prefix("dist_token", 1);
  if (config.num_register_tokens > 0) add_prefix("reg_token", config.num_register_tokens);
  for (int64_t i = 0; i < with_position * dim_; ++i) prefix[i] += positions_[i];
  positions_.erase(positions_.begin(), positions_.begin() + with_position * dim_);

  if (config.pre_norm) pre_norm = read_norm(source, "norm_pre", dim_);
  for (int layer = 0; layer < config.depth(); ++layer) {
    blocks.push_back(read_block(config, layer, source, cache));
  }
  if (config.final_norm) final_norm = read_norm(source, "norm", dim_);
  if (config.fc_norm) fc_norm = read_norm(source, "fc_norm", dim_);
  if (config.num_classes > 0) {
    head.emplace(source, "head", dim_, config.num_classes, cache);
    if (config.distilled) head_dist.emplace(source, "head_dist", dim_, config.num_classes, cache);
    if (config.aux_head) aux_head.emplace(source, "aux_head", dim_, config.num_classes, cache);
  }
  const int count =
      predictor_source ? count_predictors(config, *predictor_source, "the predictors") : 0;
  for (int site = 0; site < count; ++site) {
    predictors.emplace_back(*predictor_source, site, dim_, cache);
  }
}

std::shared_ptr<const std::vector<float>> VitWeights::patch_positions(int64_t height,
                                                                      int64_t width) const {
  const std::lock_guard lock(mutex_);
  auto& entry = resampled_[{height, width}];
  if (!entry) {
    entry = std::make_shared<const std::vector<float>>(
        resample_positions(positions_, grid_height_, grid_width_, height, width, dim_));
  }
  const auto result = entry;
  if (resampled_.size() > kCachedGrids) {
    const auto other = std::find_if(resampled_.begin(), resampled_.end(),
                                    [&](const auto& item) { return item.second != result; });
    resampled_.erase(other);
  }
  return result;
}

}  // namespace tokensieve
