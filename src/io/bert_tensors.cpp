#include "tokensieve/io/bert_tensors.h"

#include <string_view>

#include "model/check_tensors.h"
#include "tensor_shapes.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr std::string_view kExits = "classifiers.";
constexpr std::string_view kContributions = "contribution_predictor.";

/// Parts of a block of BERT and RoBERTa; `scope` is "bert.encoder.layer.0.".
BertBlockNames bert_block(const std::string& scope) {
  return {.query = scope + "attention.self.query",
          .key = scope + "attention.self.key",
          .value = scope + "attention.self.value",
          .attention_output = scope + "attention.output.dense",
          .attention_norm = scope + "attention.output.LayerNorm",
          .fc1 = scope + "intermediate.dense",
          .fc2 = scope + "output.dense",
          .mlp_norm = scope + "output.LayerNorm"};
}

/// Parts of a block of DistilBERT; `scope` is "distilbert.transformer.layer.0.".
BertBlockNames distilbert_block(const std::string& scope) {
  return {.query = scope + "attention.q_lin",
          .key = scope + "attention.k_lin",
          .value = scope + "attention.v_lin",
          .attention_output = scope + "attention.out_lin",
          .attention_norm = scope + "sa_layer_norm",
          .fc1 = scope + "ffn.lin1",
          .fc2 = scope + "ffn.lin2",
          .mlp_norm = scope + "output_layer_norm"};
}

std::string classifier_name(const BertConfig& config) {
  if (config.head == TextHead::embedding) return "";
  if (config.head == TextHead::question_answering) return "qa_outputs";
  const bool roberta = config.name == "roberta" && config.head == TextHead::classification;
  return roberta ? "classifier.out_proj" : "classifier";
}

std::string pooler_name(const BertConfig& config, const std::string& prefix) {
  if (config.pooler == PoolerActivation::none) return "";
  if (config.name == "bert") return prefix + "pooler.dense";
  if (config.head != TextHead::classification) return "";
  return config.name == "roberta" ? "classifier.dense" : "pre_classifier";
}

void add_block(TensorShapes& shapes, const BertConfig& config, int block,
               const BertBlockNames& names) {
  const std::int64_t dim = config.embed_dim;
  if (const std::int64_t width = std::int64_t{config.num_heads[block]} * config.head_dim;
      width > 0) {
    for (const auto& name : {names.query, names.key, names.value}) {
      add_linear(shapes, name, width, dim);
    }
    add_linear(shapes, names.attention_output, dim, width);
    add_norm(shapes, names.attention_norm, dim);
  }
  if (const std::int64_t hidden = config.mlp_dim[block]; hidden > 0) {
    add_linear(shapes, names.fc1, hidden, dim);
    add_linear(shapes, names.fc2, dim, hidden);
    add_norm(shapes, names.mlp_norm, dim);
  }
}

}  // namespace

BertNames bert_names(const BertConfig& config) {
  const bool distilled = config.name == "distilbert";
  const std::string prefix = config.head == TextHead::embedding ? "" : config.name + ".";
  BertNames names;
  names.word_embeddings = prefix + "embeddings.word_embeddings";
  names.position_embeddings = prefix + "embeddings.position_embeddings";
  if (config.type_vocab_size > 0) {
    names.token_type_embeddings = prefix + "embeddings.token_type_embeddings";
  }
  names.embedding_norm = prefix + "embeddings.LayerNorm";
  for (int block = 0; block < config.depth(); ++block) {
    names.blocks.push_back(distilled
                               ? distilbert_block(cat(prefix, "transformer.layer.", block, "."))
                               : bert_block(cat(prefix, "encoder.layer.", block, ".")));
  }
  names.pooler = pooler_name(config, prefix);
  names.classifier = classifier_name(config);
  return names;
}

std::map<std::string, std::vector<std::int64_t>> bert_tensors(const BertConfig& config) {
  const BertNames names = bert_names(config);
  const std::int64_t dim = config.embed_dim;
  TensorShapes shapes;
  shapes[names.word_embeddings + ".weight"] = {config.vocab_size, dim};
  shapes[names.position_embeddings + ".weight"] = {
      std::int64_t{config.position_offset} + config.max_positions, dim};
  if (config.type_vocab_size > 0) {
    shapes[names.token_type_embeddings + ".weight"] = {config.type_vocab_size, dim};
  }
  add_norm(shapes, names.embedding_norm, dim);
  for (int block = 0; block < config.depth(); ++block) {
    add_block(shapes, config, block, names.blocks[static_cast<std::size_t>(block)]);
  }
  if (!names.pooler.empty()) add_linear(shapes, names.pooler, dim, dim);
  if (!names.classifier.empty()) add_linear(shapes, names.classifier, config.num_classes, dim);
  return shapes;
}

std::string exit_name(int block) { return cat(kExits, block); }

std::map<std::string, std::vector<std::int64_t>> exit_tensors(const BertConfig& config) {
  TensorShapes shapes;
  for (int block = 0; block + 1 < config.depth(); ++block) {
    add_linear(shapes, exit_name(block), config.num_classes, config.embed_dim);
  }
  return shapes;
}

std::string contribution_name(int block) { return cat(kContributions, block); }

std::map<std::string, std::vector<std::int64_t>> contribution_tensors(const BertConfig& config) {
  TensorShapes shapes;
  for (int block = 0; block < config.depth(); ++block) {
    const std::string scope = contribution_name(block);
    add_linear(shapes, scope + ".hidden", kContributionWidth, config.embed_dim);
    add_linear(shapes, scope + ".output", 1, kContributionWidth);
  }
  return shapes;
}

std::map<std::string, std::vector<std::int64_t>> sieve_tensors(const BertConfig& config) {
  TensorShapes shapes;
  if (config.exits) shapes = exit_tensors(config);
  if (config.contributions) shapes.merge(contribution_tensors(config));
  return shapes;
}

void check_sieve(const BertConfig& config, const WeightSource& weights, const std::string& file) {
  const char* const kind = config.exits && config.contributions
                               ? "classifiers for early exit and contribution predictors"
                           : config.exits         ? "classifiers for early exit"
                           : config.contributions ? "contribution predictors"
                                                  : "no tensors";
  check_tensors(sieve_tensors(config), weights, kind, file);
}

BertConfig with_sieve(BertConfig config, const WeightSource& weights) {
  for (const std::string& name : weights.names()) {
    if (name.starts_with(kExits)) config.exits = true;
    if (name.starts_with(kContributions)) config.contributions = true;
  }
  return config;
}

}  // namespace tokensieve
