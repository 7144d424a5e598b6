#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/core/vit_config.h"

namespace tokensieve {

/// Rows of one sample in one block.
struct LayerTokens {
  int64_t attention = 0;  ///< Rows that enter attention (keys, values).
  int64_t queries = 0;    ///< Rows that leave attention (fewer for sites inside attention).
  int64_t mlp = 0;        ///< Rows that enter the MLP.
  int64_t scored = 0;     ///< Query rows whose scores a site inside attention looks at beforehand.
  int64_t masked_pairs = 0;  ///< Pairs of query and key in a masked head; 0 where none is masked.

  bool operator==(const LayerTokens&) const = default;
};

/// Multiply-accumulates of one sample by kind. Counted: linear layers, both attention products,
/// patch convolution, heads. Not counted: softmax, GELU, residuals, biases, norms.
struct MacCount {
  int64_t patch_embed = 0;
  int64_t attention_linear = 0;    ///< qkv and output projections.
  int64_t attention_products = 0;  ///< Q K^T and A V.
  int64_t mlp = 0;
  int64_t head = 0;
  int64_t predictors = 0;  ///< Learned scores, site by site: count_predictor_macs().

  int64_t total() const {
    return patch_embed + attention_linear + attention_products + mlp + head + predictors;
  }
};

/// The MACs of one image with `num_patches` patches and `layers[l]` rows in block `l`, predictors
/// left out. Equals what the engine executes. `output_rows` are those that leave the last block,
/// where a site after it drops some; an aux_head reads them. Throws std::invalid_argument when
/// `layers` is not one entry a block.
MacCount count_macs(const VitConfig& config, int64_t num_patches,
                    std::span<const LayerTokens> layers,
                    std::optional<int64_t> output_rows = std::nullopt);
/// The MACs of the dense network on the image size of the config.
MacCount count_dense_macs(const VitConfig& config);
/// The MACs of one text with `layers[l]` rows in block `l`; of a text that exited, the later
/// blocks have 0 rows. `num_tokens` are the tokens of the text, [CLS] and [SEP] among them: a head
/// that reads every token reads so many. `classifiers` is how often the pooler and a classifier
/// ran, more than once where there are exits. Looking up embeddings costs nothing. Throws
/// std::invalid_argument when `layers` is not one entry a block, or a number is negative.
MacCount count_macs(const BertConfig& config, std::span<const LayerTokens> layers,
                    int64_t num_tokens, int64_t classifiers = 1);
/// The MACs of the dense network on a text of so many tokens.
MacCount count_dense_macs(const BertConfig& config, int64_t num_tokens);
/// The MACs of one predictor (DynamicViT, arXiv 2106.02034) on `rows` patches of one image, as the
/// engine executes them: rows (C^2 + C^2/4 + C^2/8 + C/4) + C^2/4. The half of `out_conv.0` that
/// reads the mean over the patches is multiplied once an image, and of the two outputs only their
/// difference is computed. 0 for no rows.
int64_t count_predictor_macs(const VitConfig& config, int64_t rows);
/// The MACs of one contribution predictor (AdapLeR, arXiv 2203.08991) on `rows` tokens of one text,
/// the class token among them: rows (32 C + 32).
int64_t count_predictor_macs(const BertConfig& config, int64_t rows);
/// DynamicViT's as its own counter and published figures have them, with the half that
/// reads the mean multiplied for every patch and both outputs: rows (C^2 + C^2/2 + C^2/8 + C/2).
int64_t count_published_predictor_macs(const VitConfig& config, int64_t rows);
/// What norms add in counters that charge 5 a value (timm's, DynamicViT's): 5 C (2 sum n_l + n_L).
int64_t count_layer_norm_macs(const VitConfig& config, std::span<const LayerTokens> layers);

}  // namespace tokensieve
