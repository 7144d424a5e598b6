#include "model/hf_text_config.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "model/hf_text_names.h"
#include "model/labels.h"
#include "model/measure_bert.h"
#include "model/sentence_pooling.h"
#include "short_decimal.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// What a text network's config.json calls its sizes.
struct Keys {
  std::string_view hidden_size = "hidden_size", depth = "num_hidden_layers";
  std::string_view num_heads = "num_attention_heads", mlp_dim = "intermediate_size";
  std::string_view activation = "hidden_act";
};
constexpr Keys kDistilbertKeys = {.hidden_size = "dim",
                                  .depth = "n_layers",
                                  .num_heads = "n_heads",
                                  .mlp_dim = "hidden_dim",
                                  .activation = "activation"};
constexpr float kDistilbertEps = 1e-12f;  // not in its config

constexpr std::string_view kNames[] = {"bert", "distilbert", "roberta"};

/// One class of transformers, without the name of its network, and what it is for.
struct Architecture {
  std::string_view suffix;
  TextHead head;
};
constexpr Architecture kArchitectures[] = {
    {"ForSequenceClassification", TextHead::classification},
    {"ForTokenClassification", TextHead::tokens},
    {"ForQuestionAnswering", TextHead::question_answering},
    // Bare networks, with or without a head of pre-training.
    {"Model", TextHead::embedding},
    {"ForMaskedLM", TextHead::embedding},
    {"ForPreTraining", TextHead::embedding},
    {"ForNextSentencePrediction", TextHead::embedding},
};

TextHead head_of(const JsonObject& config, const SafetensorsFile& file) {
  if (!config.has("architectures")) return guess_text_head(file);
  const nlohmann::json& list = config.get("architectures");
  if (list.is_array() && list.size() == 1 && list[0].is_string()) {
    const auto& name = list[0].get_ref<const std::string&>();
    for (const auto& [suffix, head] : kArchitectures) {
      if (name.ends_with(suffix)) return head;
    }
  }
  config.fail(
      "architectures",
      "one class for sequence or token classification, question answering, or a bare model");
}

/// Refuses what the tensors' names and shapes would not give away.
void check_supported(const JsonObject& config, const Keys& keys) {
  if (config.has(keys.activation) && config.text(keys.activation) != "gelu") {
    config.fail(keys.activation, "\"gelu\", the one that is supported");
  }
  if (config.has("position_embedding_type") &&
      config.text("position_embedding_type") != "absolute") {
    config.fail("position_embedding_type", "\"absolute\", the one that is supported");
  }
  if (config.has("is_decoder") && config.flag("is_decoder")) {
    config.fail("is_decoder", "false; decoders are not supported");
  }
}

/// Blocks may have been pruned below what config.json says of all of them.
void check_sizes(const JsonObject& config, const Keys& keys, const BertConfig& bert) {
  config.check_agrees(keys.hidden_size, bert.embed_dim);
  config.check_agrees(keys.depth, bert.depth());
  config.check_agrees("vocab_size", bert.vocab_size);
  config.check_agrees("max_position_embeddings", bert.max_positions + bert.position_offset);
  if (bert.type_vocab_size > 0) config.check_agrees("type_vocab_size", bert.type_vocab_size);
  if (config.has("tokensieve")) {  // was pruned block by block
    const JsonObject ours = config.object("tokensieve");
    for (const auto& [key, sizes] :
         {std::pair{"num_heads", bert.num_heads}, std::pair{"mlp_dim", bert.mlp_dim}}) {
      if (ours.integers(key, sizes.size(), 0, 1 << 16) != sizes) {
        ours.fail(key, "what the tensors say of each block");
      }
    }
    return;
  }
  for (const int width : bert.mlp_dim) config.check_agrees(keys.mlp_dim, width);
}

Keys keys_of(std::string_view name) { return name == "distilbert" ? kDistilbertKeys : Keys(); }

PoolerActivation pooler_of(const BertConfig& bert) {
  if (bert.has_token_head()) return PoolerActivation::none;
  if (bert.head == TextHead::embedding && bert.name != "bert") return PoolerActivation::none;
  return bert.name == "distilbert" ? PoolerActivation::relu : PoolerActivation::tanh;
}

/// The class of transformers that loads this model.
std::string architecture_of(const BertConfig& bert) {
  const auto found = std::ranges::find(kArchitectures, bert.head, &Architecture::head);
  const std::string_view network = bert.name == "bert"      ? "Bert"
                                   : bert.name == "roberta" ? "Roberta"
                                                            : "DistilBert";
  return cat(network, found->suffix);
}

bool is_pruned(const BertConfig& bert) {
  return std::ranges::any_of(bert.num_heads,
                             [&](int heads) { return heads * bert.head_dim != bert.embed_dim; }) ||
         std::ranges::any_of(bert.mlp_dim,
                             [&](int width) { return width != bert.mlp_dim.front(); });
}

void add_labels(const ModelFolder& model, nlohmann::ordered_json& config) {
  const BertConfig& bert = *model.bert;
  if (bert.num_classes == 0 || bert.head == TextHead::question_answering) return;
  for (int i = 0; i < bert.num_classes; ++i) {
    const std::string label =
        model.labels.empty() ? cat("LABEL_", i) : model.labels[static_cast<std::size_t>(i)];
    config["id2label"][std::to_string(i)] = label;
    config["label2id"][label] = i;
  }
}

}  // namespace

bool is_text_config(const JsonObject& config) {
  const nlohmann::json& type = config.get("model_type");
  return type.is_string() &&
         std::ranges::find(kNames, type.get_ref<const std::string&>()) != std::end(kNames);
}

void read_hf_text_model(const JsonObject& config, SafetensorsFile file,
                        const std::filesystem::path& folder, ModelFolder& model) {
  const std::string path = file.path().string();
  BertConfig bert;
  bert.name = config.text("model_type");
  const Keys keys = keys_of(bert.name);
  check_supported(config, keys);
  bert.head = head_of(config, file);
  bert.pooler = pooler_of(bert);
  if (bert.name == "roberta") {
    bert.position_offset = config.has("pad_token_id")
                               ? static_cast<int>(config.integer("pad_token_id", 0, 1000)) + 1
                               : 2;
  }
  bert.layer_norm_eps = bert.name == "distilbert"
                            ? kDistilbertEps
                            : static_cast<float>(config.number("layer_norm_eps", 1e-15, 1.0));
  if (bert.head == TextHead::embedding) read_sentence_pooling(folder, bert);
  const int num_heads = static_cast<int>(config.integer(keys.num_heads, 1, 1024));

  TensorParts parts = hf_text_parts(file, bert.name, bert.head);
  model.weights = std::make_shared<MappedWeights>(std::move(file), std::move(parts));
  model.bert = measure_bert(std::move(bert), num_heads, *model.weights, path);
  check_sizes(config, keys, *model.bert);
  if (model.bert->head != TextHead::question_answering) {
    model.labels = read_hf_labels(config, model.bert->num_classes);
  }
}

nlohmann::ordered_json hf_text_config(const ModelFolder& model) {
  const BertConfig& bert = *model.bert;
  const Keys keys = keys_of(bert.name);
  nlohmann::ordered_json config = {
      {"architectures", {architecture_of(bert)}},
      {"model_type", bert.name},
      {keys.activation, "gelu"},
      {keys.hidden_size, bert.embed_dim},
      {keys.depth, bert.depth()},
      {keys.num_heads, bert.embed_dim / bert.head_dim},
      {keys.mlp_dim, *std::ranges::max_element(bert.mlp_dim)},
      {"vocab_size", bert.vocab_size},
      {"max_position_embeddings", bert.max_positions + bert.position_offset},
      {"pad_token_id", bert.name == "roberta" ? bert.position_offset - 1 : 0},
  };
  if (bert.name != "distilbert") {
    config["type_vocab_size"] = bert.type_vocab_size;
    config["layer_norm_eps"] = short_decimal(bert.layer_norm_eps);
  }
  add_labels(model, config);
  if (is_pruned(bert)) {
    config["tokensieve"] = {{"num_heads", bert.num_heads}, {"mlp_dim", bert.mlp_dim}};
  }
  return config;
}

}  // namespace tokensieve
