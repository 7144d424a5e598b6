#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve::test {

/// Uniform values in [-scale, scale], the same for the same seed on every machine.
inline std::vector<float> random_values(int64_t count, uint32_t seed, float scale = 1.0f) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    value = scale * (static_cast<float>(generator() >> 8) / 8388608.0f - 1.0f);
  }
  return values;
}

/// Tensors of random values, each with a seed of its own.
class RandomTensors {
 public:
  explicit RandomTensors(uint32_t seed) : seed_(seed) {}
  const MemoryWeights& source() const { return weights_; }

 protected:
  void tensor(const std::string& name, std::vector<int64_t> shape, float scale,
              float shift = 0.0f) {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    auto values = random_values(count, seed_++, scale);
    for (float& value : values) value += shift;
    weights_.set(name, std::move(shape), std::move(values));
  }
  void norm(const std::string& scope, int64_t dim) {
    tensor(scope + ".weight", {dim}, 0.2f, 1.0f);
    tensor(scope + ".bias", {dim}, 0.2f);
  }
  void linear(const std::string& scope, std::vector<int64_t> shape, bool bias, float gain = 1.0f) {
    int64_t in = 1;
    for (size_t i = 1; i < shape.size(); ++i) in *= shape[i];
    const int64_t out = shape[0];
    tensor(scope + ".weight", std::move(shape), gain * std::sqrt(3.0f / static_cast<float>(in)));
    if (bias) tensor(scope + ".bias", {out}, 0.1f);
  }

 private:
  uint32_t seed_;
  MemoryWeights weights_;
};

/// A network with random weights, large enough that attention is far from uniform.
class RandomWeights : public RandomTensors {
 public:
  RandomWeights(const VitConfig& config, uint32_t seed) : RandomTensors(seed) {
    const int64_t dim = config.embed_dim;
    const int64_t grid = int64_t{config.grid_height()} * config.grid_width();
    const int64_t tokens = config.num_prefix_tokens();
    patch_embed(config);
    tensor("pos_embed", {1, (config.prefix_positions ? tokens : 0) + grid, dim}, 0.5f);
    if (config.class_token) tensor("cls_token", {1, 1, dim}, 1.0f);
    if (config.distilled) tensor("dist_token", {1, 1, dim}, 1.0f);
    if (config.num_register_tokens) tensor("reg_token", {1, config.num_register_tokens, dim}, 1.0f);
    if (config.pre_norm) norm("norm_pre", dim);
    for (int layer = 0; layer < config.depth(); ++layer) {
      const std::string scope = "blocks." + std::to_string(layer);
      const int64_t width = int64_t{config.num_heads[layer]} * config.head_dim;
      if (width) {
        norm(scope + ".norm1", dim);
        linear(scope + ".attn.qkv", {3 * width, dim}, config.qkv_bias, 2.5f);
        linear(scope + ".attn.proj", {dim, width}, true);
      }
      if (config.mlp_dim[layer]) {
        norm(scope + ".norm2", dim);
        linear(scope + ".mlp.fc1", {config.mlp_dim[layer], dim}, true);
        linear(scope + ".mlp.fc2", {dim, config.mlp_dim[layer]}, true);
      }
      if (config.layer_scale) {
        tensor(scope + ".ls1.gamma", {dim}, 1.0f);
        tensor(scope + ".ls2.gamma", {dim}, 1.0f);
      }
    }
    if (config.final_norm) norm("norm", dim);
    if (config.fc_norm) norm("fc_norm", dim);
    if (config.num_classes) linear("head", {config.num_classes, dim}, true);
    if (config.num_classes && config.distilled)
      linear("head_dist", {config.num_classes, dim}, true);
    if (config.aux_head) linear("aux_head", {config.num_classes, dim}, true);
  }

 private:
  void patch_embed(const VitConfig& config) {
    int64_t in = config.in_channels, patch = config.patch_size;
    if (config.stem_channels > 0) {
      for (int i = 0; i < 3; ++i) {
        const int64_t kernel = kStemKernels[i];
        linear("patch_embed.conv" + std::to_string(i + 1),
               {config.stem_channels, in, kernel, kernel}, true);
        in = config.stem_channels;
      }
      patch /= kStemStride;
    }
    linear("patch_embed.proj", {config.embed_dim, in, patch, patch}, true);
  }
};

/// Predictors of a network of width `dim` for `count` sites, with scores that differ widely.
class RandomPredictors : public RandomTensors {
 public:
  RandomPredictors(int64_t dim, int count, uint32_t seed) : RandomTensors(seed) {
    for (int site = 0; site < count; ++site) {
      const std::string scope = "score_predictor." + std::to_string(site);
      norm(scope + ".in_conv.0", dim);
      linear(scope + ".in_conv.1", {dim, dim}, true, 2.0f);
      linear(scope + ".out_conv.0", {dim / 2, dim}, true, 2.0f);
      linear(scope + ".out_conv.2", {dim / 4, dim / 2}, true, 2.0f);
      linear(scope + ".out_conv.4", {2, dim / 4}, true, 3.0f);
    }
  }
};

}  // namespace tokensieve::test
