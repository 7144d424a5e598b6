#include "bert_weights.h"

#include <algorithm>
#include <cmath>

#include "tokensieve/core/error.h"
#include "tokensieve/io/bert_tensors.h"

namespace tokensieve {
namespace {

/// Query, key and value of a block below one another, as one linear reads them.
MemoryWeights stacked_qkv(const WeightSource& source, const BertBlockNames& names, int64_t dim,
                          int64_t width) {
  std::vector<float> weight, bias;
  for (const std::string& name : {names.query, names.key, names.value}) {
    const auto rows = source.read(name + ".weight", std::vector<int64_t>{width, dim});
    const auto shift = source.read(name + ".bias", std::vector<int64_t>{width});
    weight.insert(weight.end(), rows.begin(), rows.end());
    bias.insert(bias.end(), shift.begin(), shift.end());
  }
  MemoryWeights stacked;
  stacked.set("qkv.weight", {3 * width, dim}, std::move(weight));
  stacked.set("qkv.bias", {3 * width}, std::move(bias));
  return stacked;
}

BlockWeights read_block(const BertConfig& config, int layer, const BertBlockNames& names,
                        const WeightSource& source, LinearCache& cache) {
  const int64_t dim = config.embed_dim;
  const int64_t width = int64_t{config.num_heads[layer]} * config.head_dim;
  const int64_t hidden = config.mlp_dim[layer];
  BlockWeights block;
  block.num_heads = config.num_heads[layer];
  if (width > 0) {
    std::vector<float> query_scale(static_cast<size_t>(3 * width), 1.0f);
    std::fill_n(query_scale.begin(), width, 1.0f / std::sqrt(static_cast<float>(config.head_dim)));
    block.qkv.emplace(stacked_qkv(source, names, dim, width), "qkv", dim, 3 * width, cache,
                      LinearOptions{.output_scale = query_scale});
    block.proj.emplace(source, names.attention_output, width, dim, cache);
    block.norm1 = read_norm(source, names.attention_norm, dim);
  }
  if (hidden > 0) {
    block.fc1.emplace(source, names.fc1, dim, hidden, cache);
    block.fc2.emplace(source, names.fc2, hidden, dim, cache);
    block.norm2 = read_norm(source, names.mlp_norm, dim);
  }
  return block;
}

}  // namespace

BertWeights::BertWeights(const BertConfig& config, const WeightSource& source,
                         const WeightSource* sieve)
    : cache(kCachedPrimitives) {
  const BertNames names = bert_names(config);
  const int64_t dim = config.embed_dim;
  const auto table = [&](const std::string& name, int64_t entries) {
    return source.read(name + ".weight", std::vector<int64_t>{entries, dim});
  };
  words = table(names.word_embeddings, config.vocab_size);
  positions =
      table(names.position_embeddings, int64_t{config.position_offset} + config.max_positions);
  if (config.type_vocab_size > 0) {
    types = table(names.token_type_embeddings, config.type_vocab_size);
  }
  embedding_norm = read_norm(source, names.embedding_norm, dim);
  for (int layer = 0; layer < config.depth(); ++layer) {
    blocks.push_back(
        read_block(config, layer, names.blocks[static_cast<size_t>(layer)], source, cache));
  }
  if (config.head == TextHead::classification && !names.pooler.empty()) {
    pooler.emplace(source, names.pooler, dim, dim, cache);
  }
  if (!names.classifier.empty()) {
    classifier.emplace(source, names.classifier, dim, config.num_classes, cache);
  }
  if (!config.exits && !config.contributions) return;
  check_argument(sieve != nullptr,
                 "[bert] expected the weights of the classifiers for early exit, or of the "
                 "contribution predictors, got none");
  check_sieve(config, *sieve, "the exits and predictors");
  for (int layer = 0; config.exits && layer + 1 < config.depth(); ++layer) {
    exits.emplace_back(*sieve, exit_name(layer), dim, config.num_classes, cache);
  }
  for (int layer = 0; config.contributions && layer < config.depth(); ++layer) {
    contributions.emplace_back(*sieve, contribution_name(layer), dim, cache);
  }
}

}  // namespace tokensieve
