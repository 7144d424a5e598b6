#include "model/measure_bert.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "model/check_tensors.h"
#include "model/tensor_sizes.h"
#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/bert_tensors.h"

namespace tokensieve {
namespace {

/// Measures the tensors of one file.
class Measure : TensorSizes {
 public:
  Measure(BertConfig config, const WeightSource& weights, const std::string& file)
      : TensorSizes(weights, file), config_(std::move(config)) {}

  BertConfig run(int num_heads) {
    config_.num_heads.assign(depth_of_file(), 0);
    config_.mlp_dim.assign(config_.num_heads.size(), 0);
    config_.type_vocab_size = 1;  // so that the name is there to ask for
    const BertNames names = bert_names(config_);
    embeddings(names);
    check(num_heads > 0 && config_.embed_dim % num_heads == 0, "num_attention_heads",
          cat("to divide the width ", config_.embed_dim), cat(num_heads));
    config_.head_dim = config_.embed_dim / num_heads;
    for (int block = 0; block < config_.depth(); ++block) {
      const BertBlockNames& parts = names.blocks[static_cast<std::size_t>(block)];
      config_.num_heads[block] = heads(parts.query + ".weight");
      config_.mlp_dim[block] = rows(parts.fc1 + ".weight");
    }
    pooler(names.pooler);
    config_.num_classes =
        names.classifier.empty() ? 0 : static_cast<int>(shape(names.classifier + ".weight", 2)[0]);
    return std::move(config_);
  }

 private:
  std::size_t depth_of_file() const {
    const std::string prefix = config_.head == TextHead::embedding ? "" : config_.name + ".";
    const bool distilled = config_.name == "distilbert";
    const int depth = this->depth(prefix + (distilled ? "transformer.layer." : "encoder.layer."));
    return static_cast<std::size_t>(depth);
  }

  /// Rows of a matrix, 0 if it is not there.
  int rows(const std::string& name) const {
    return contains(name) ? static_cast<int>(shape(name, 2)[0]) : 0;
  }

  void embeddings(const BertNames& names) {
    const auto words = shape(names.word_embeddings + ".weight", 2);
    config_.vocab_size = static_cast<int>(words[0]);
    config_.embed_dim = static_cast<int>(words[1]);
    check(config_.embed_dim > 0, names.word_embeddings + ".weight", "to have a width",
          shape_text(words));
    const auto positions = shape(names.position_embeddings + ".weight", 2);
    check(positions[0] > config_.position_offset, names.position_embeddings + ".weight",
          cat("to have more than ", config_.position_offset, " rows"), shape_text(positions));
    config_.max_positions = static_cast<int>(positions[0]) - config_.position_offset;
    config_.type_vocab_size =
        config_.name == "distilbert" ? 0 : rows(names.token_type_embeddings + ".weight");
  }

  int heads(const std::string& query) const {
    const int width = rows(query);
    check(width % config_.head_dim == 0, query, cat("to have heads * ", config_.head_dim, " rows"),
          cat(width));
    return width / config_.head_dim;
  }

  /// A bare BertModel may come without its pooler; a BERT that classifies may not.
  void pooler(const std::string& name) {
    const bool there = !name.empty() && contains(name + ".weight");
    if (config_.head == TextHead::embedding && !there) config_.pooler = PoolerActivation::none;
  }

  BertConfig config_;
};

std::string_view kind_of(const BertConfig& config) {
  if (config.name == "distilbert") return "a DistilBERT";
  return config.name == "roberta" ? "a RoBERTa" : "a BERT";
}

}  // namespace

BertConfig measure_bert(BertConfig config, int num_heads, const WeightSource& weights,
                        const std::string& file) {
  config = Measure(std::move(config), weights, file).run(num_heads);
  try {
    config.validate();
  } catch (const std::invalid_argument& error) {
    fail_runtime("[model_folder] ", file, ": ", error.what());
  }
  check_tensors(config, weights, file);
  return config;
}

void check_tensors(const BertConfig& config, const WeightSource& weights, const std::string& file) {
  check_tensors(bert_tensors(config), weights, kind_of(config), file);
}

}  // namespace tokensieve
