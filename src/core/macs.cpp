#include "tokensieve/core/macs.h"

#include <vector>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

template <typename Config>
void check_layers(const Config& config, std::span<const LayerTokens> layers) {
  config.validate();
  check_argument(static_cast<int>(layers.size()) == config.depth(),
                 "[count_macs] expected rows for ", config.depth(), " blocks, got ", layers.size());
  for (const LayerTokens& rows : layers) {
    check_argument(rows.attention >= 0 && rows.queries >= 0 && rows.mlp >= 0,
                   "[count_macs] expected at least 0 rows, got ", rows.attention, ", ",
                   rows.queries, " and ", rows.mlp);
  }
}

/// Adds what a block costs. `inner` are the channels of all heads, `masked_inner` of the masked
/// ones.
void add_block(const LayerTokens& rows, int64_t dim, int64_t inner, int64_t masked_inner,
               int64_t mlp_dim, MacCount& count) {
  count.attention_linear += 3 * rows.attention * dim * inner + rows.queries * inner * dim;
  count.attention_products +=
      (2 * rows.queries * (inner - masked_inner) + rows.scored * inner) * rows.attention +
      2 * rows.masked_pairs * masked_inner;
  count.mlp += 2 * rows.mlp * dim * mlp_dim;
}

int64_t patch_embed_macs(const VitConfig& config, int64_t num_patches) {
  const int64_t dim = config.embed_dim, channels = config.in_channels, patch = config.patch_size;
  if (config.stem_channels == 0) return num_patches * dim * channels * patch * patch;
  const int64_t width = config.stem_channels, side = patch / kStemStride;
  int64_t per_place = width * dim;  // the projection
  int64_t in = channels;
  for (const int64_t kernel : kStemKernels) {
    per_place += in * width * kernel * kernel;
    in = width;
  }
  return num_patches * side * side * per_place;
}

int64_t head_macs(const VitConfig& config, int64_t output_rows) {
  const int64_t tokens = config.aux_head ? output_rows - config.num_prefix_tokens() : 0;
  return int64_t{config.embed_dim} * config.num_classes * (1 + (config.distilled ? 1 : 0) + tokens);
}

}  // namespace

MacCount count_macs(const VitConfig& config, int64_t num_patches,
                    std::span<const LayerTokens> layers, std::optional<int64_t> output_rows) {
  check_layers(config, layers);
  check_argument(num_patches >= 0, "[count_macs] expected at least 0 patches, got ", num_patches);
  const int64_t dim = config.embed_dim;
  MacCount count;
  count.patch_embed = patch_embed_macs(config, num_patches);
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    const int64_t inner = int64_t{config.num_heads[layer]} * config.head_dim;
    const int64_t masked =
        layers[layer].masked_pairs == 0
            ? 0
            : static_cast<int64_t>(config.masks.of_block(static_cast<int>(layer)).size()) *
                  config.head_dim;
    add_block(layers[layer], dim, inner, masked, config.mlp_dim[layer], count);
  }
  count.head = head_macs(config, output_rows.value_or(layers.back().mlp));
  return count;
}

MacCount count_dense_macs(const VitConfig& config) {
  config.validate();
  const int64_t patches = int64_t{config.grid_height()} * config.grid_width();
  const int64_t rows = patches + config.num_prefix_tokens();
  std::vector<LayerTokens> layers(static_cast<size_t>(config.depth()), {rows, rows, rows, 0, 0});
  const int64_t pairs = count_masked_pairs(config.masks, config.grid_height(), config.grid_width(),
                                           config.num_prefix_tokens());
  if (pairs_pay(pairs, rows)) {
    for (int layer = 0; layer < config.depth(); ++layer) {
      if (!config.masks.of_block(layer).empty()) layers[layer].masked_pairs = pairs;
    }
  }
  return count_macs(config, patches, layers);
}

MacCount count_macs(const BertConfig& config, std::span<const LayerTokens> layers,
                    int64_t num_tokens, int64_t classifiers) {
  check_layers(config, layers);
  check_argument(num_tokens >= 0 && classifiers >= 0,
                 "[count_macs] expected at least 0 tokens and classifiers, got ", num_tokens,
                 " and ", classifiers);
  const int64_t dim = config.embed_dim;
  MacCount count;
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    const int64_t inner = int64_t{config.num_heads[layer]} * config.head_dim;
    add_block(layers[layer], dim, inner, 0, config.mlp_dim[layer], count);
  }
  if (config.has_token_head()) {
    count.head = num_tokens * dim * config.num_classes;
  } else if (config.head == TextHead::classification) {
    const int64_t pooler = config.pooler == PoolerActivation::none ? 0 : dim * dim;
    count.head = classifiers * (pooler + dim * config.num_classes);
  }
  return count;
}

MacCount count_dense_macs(const BertConfig& config, int64_t num_tokens) {
  config.validate();
  const std::vector<LayerTokens> layers(static_cast<size_t>(config.depth()),
                                        {num_tokens, num_tokens, num_tokens, 0, 0});
  return count_macs(config, layers, num_tokens);
}

int64_t count_predictor_macs(const VitConfig& config, int64_t rows) {
  const int64_t half = config.embed_dim / 2, quarter = config.embed_dim / 4;
  const int64_t each = config.embed_dim * 2 * half + half * half + half * quarter + quarter;
  return rows == 0 ? 0 : rows * each + half * half;
}

int64_t count_predictor_macs(const BertConfig& config, int64_t rows) {
  return rows * kContributionWidth * (int64_t{config.embed_dim} + 1);
}

int64_t count_published_predictor_macs(const VitConfig& config, int64_t rows) {
  const int64_t dim = config.embed_dim, half = dim / 2, quarter = dim / 4;
  return rows * (dim * dim + dim * half + half * quarter + 2 * quarter);
}

int64_t count_layer_norm_macs(const VitConfig& config, std::span<const LayerTokens> layers) {
  check_layers(config, layers);
  int64_t normed_rows = layers.back().mlp;  // the norm after the last block
  for (const LayerTokens& rows : layers) normed_rows += rows.attention + rows.mlp;
  return 5 * config.embed_dim * normed_rows;
}

}  // namespace tokensieve
