#include "tokensieve/nn/bert.h"

#include "dropout.h"
#include "sample_attention.h"
#include "scope.h"
#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

torch::nn::LayerNorm layer_norm(const BertConfig& config) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({config.embed_dim}).eps(config.layer_norm_eps));
}

torch::nn::Embedding table(int64_t rows, int64_t dim) {
  torch::nn::Embedding layer(rows, dim);
  torch::NoGradGuard guard;
  layer->weight.normal_(0.0, kInitStd);
  return layer;
}

/// Registers `layer` at the end of a path of names: "bert.encoder.layer.0.output.dense".
template <typename Layer>
Layer place(torch::nn::Module& root, const std::string& path, Layer layer) {
  torch::nn::Module* parent = &root;
  size_t begin = 0;
  for (size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string name = path.substr(begin, dot - begin);
    const auto* const known = parent->named_children().find(name);
    parent = known ? known->get() : &scope(*parent, name);
  }
  return parent->register_module(path.substr(begin), std::move(layer));
}

BertConfig validated(BertConfig config) {
  config.validate();
  check_argument(config.head == TextHead::classification,
                 "[bert] expected a classification head to train, got another one");
  return config;
}

}  // namespace

BertImpl::BertImpl(const BertConfig& config, double dropout)
    : config_(validated(config)), dropout_(dropout) {
  check_argument(dropout >= 0 && dropout < 1, "[bert] expected dropout in [0, 1), got ", dropout);
  const int64_t dim = config_.embed_dim;
  const BertNames names = bert_names(config_);
  words_ = place(*this, names.word_embeddings, table(config_.vocab_size, dim));
  positions_ = place(*this, names.position_embeddings,
                     table(config_.position_offset + config_.max_positions, dim));
  if (config_.type_vocab_size > 0) {
    types_ = place(*this, names.token_type_embeddings, table(config_.type_vocab_size, dim));
  }
  norm_ = place(*this, names.embedding_norm, layer_norm(config_));
  for (int i = 0; i < config_.depth(); ++i) {
    blocks_.push_back(make_block(names.blocks[static_cast<size_t>(i)], i));
  }
  if (config_.pooler != PoolerActivation::none) {
    pooler_ = place(*this, names.pooler, Linear(dim, dim));
  }
  classifier_ = place(*this, names.classifier, Linear(dim, config_.num_classes));
  for (int i = 0; config_.exits && i + 1 < config_.depth(); ++i) {
    exits_.push_back(place(*this, exit_name(i), Linear(dim, config_.num_classes)));
  }
}

BertImpl::Block BertImpl::make_block(const BertBlockNames& names, int index) {
  const int64_t dim = config_.embed_dim;
  Block block;
  block.num_heads = config_.num_heads[static_cast<size_t>(index)];
  if (const int64_t width = block.num_heads * config_.head_dim; width > 0) {
    block.query = place(*this, names.query, Linear(dim, width));
    block.key = place(*this, names.key, Linear(dim, width));
    block.value = place(*this, names.value, Linear(dim, width));
    block.projection = place(*this, names.attention_output, Linear(width, dim));
    block.attention_norm = place(*this, names.attention_norm, layer_norm(config_));
  }
  if (const int64_t hidden = config_.mlp_dim[static_cast<size_t>(index)]; hidden > 0) {
    block.fc1 = place(*this, names.fc1, Linear(dim, hidden));
    block.fc2 = place(*this, names.fc2, Linear(hidden, dim));
    block.mlp_norm = place(*this, names.mlp_norm, layer_norm(config_));
  }
  return block;
}

torch::Tensor BertImpl::drop(const torch::Tensor& x) const {
  return is_training() && dropout_ > 0 ? dropout(x, dropout_) : x;
}

torch::Tensor BertImpl::embed(const torch::Tensor& tokens) {
  check_argument(tokens.dim() == 3 && tokens.size(1) == 2 && tokens.size(2) >= 1 &&
                     tokens.size(2) <= config_.max_positions,
                 "[bert] expected tokens [B, 2, n] with n from 1 to ", config_.max_positions,
                 ", got ", tokens.sizes());
  const torch::Tensor known = tokens.clamp_min(0);
  torch::Tensor places = torch::arange(tokens.size(2), tokens.options());
  if (const int64_t offset = config_.position_offset; offset > 0) {
    // RoBERTa's padding tokens all read the row before the first one's and are not counted.
    const torch::Tensor counted = (tokens.select(1, 0) != offset - 1).to(torch::kLong);
    places = counted.cumsum(1) * counted + offset - 1;
  }
  torch::Tensor x = words_(known.select(1, 0)) + positions_(places);
  if (types_) x = x + types_(known.select(1, 1));
  return drop(norm_(x));
}

torch::Tensor BertImpl::present(const torch::Tensor& tokens) {
  return (tokens.select(1, 0) >= 0).to(torch::kFloat);
}

torch::Tensor BertImpl::bias_of(const torch::Tensor& kept) {
  return kept.min().item<float>() >= 1 ? torch::Tensor() : (1 - kept) * kMaskedLogit;
}

torch::Tensor BertImpl::attend(int index, const torch::Tensor& rows, const torch::Tensor& bias) {
  return attend_from(index, rows, bias, {}).rows;
}

ScoredRows BertImpl::attend(int index, const torch::Tensor& rows, const torch::Tensor& bias,
                            const torch::Tensor& live, int64_t n_ref) {
  ScoredRows scored = attend_from(index, rows, bias, live);
  check_argument(scored.scores.defined(), "[bert] expected an attention in block ", index,
                 " to score by");
  const torch::Tensor places = live.sum(1, true).to(scored.scores.scalar_type());
  scored.scores = n_ref > 0 ? scored.scores / static_cast<double>(n_ref) : scored.scores / places;
  return scored;
}

ScoredRows BertImpl::attend_from(int index, const torch::Tensor& rows, const torch::Tensor& bias,
                                 const torch::Tensor& queries) {
  Block& block = blocks_.at(static_cast<size_t>(index));
  if (!block.query) return {rows, {}};
  // One product for all three: the rows are turned to bfloat16 once.
  const torch::Tensor qkv =
      torch::linear(rows, torch::cat({block.query->weight, block.key->weight, block.value->weight}),
                    torch::cat({block.query->bias, block.key->bias, block.value->bias}))
          .view({rows.size(0), rows.size(1), 3, block.num_heads, config_.head_dim});
  const SampleAttention attention =
      sample_attention(qkv, bias, queries, is_training() ? dropout_ : 0.0);
  return {block.attention_norm(rows + drop(block.projection(attention.outputs))),
          attention.received};
}

torch::Tensor BertImpl::mlp(int index, const torch::Tensor& rows) {
  Block& block = blocks_.at(static_cast<size_t>(index));
  if (!block.fc1) return rows;
  return block.mlp_norm(rows + drop(block.fc2(torch::gelu(block.fc1(rows)))));
}

torch::Tensor BertImpl::pool(const torch::Tensor& class_rows) {
  if (!pooler_) return drop(class_rows);
  // RoBERTa's head drops before its linear, too.
  const torch::Tensor x = pooler_(config_.name == "roberta" ? drop(class_rows) : class_rows);
  return drop(config_.pooler == PoolerActivation::tanh ? torch::tanh(x) : torch::relu(x));
}

torch::Tensor BertImpl::exit(int index, const torch::Tensor& pooled) {
  if (index + 1 == config_.depth()) return classifier_(pooled);
  check_argument(config_.exits && index >= 0 && index < config_.depth(),
                 "[bert] expected a network with an exit after block ", index);
  return exits_[static_cast<size_t>(index)](pooled);
}

torch::Tensor BertImpl::classify(const torch::Tensor& class_rows) {
  return classifier_(pool(class_rows));
}

std::vector<torch::Tensor> BertImpl::class_rows(const torch::Tensor& tokens) {
  torch::Tensor x = embed(tokens);
  const torch::Tensor bias = bias_of(present(tokens));
  std::vector<torch::Tensor> rows;
  for (int i = 0; i < config_.depth(); ++i) {
    x = mlp(i, attend(i, x, bias));
    rows.push_back(x.select(1, 0));
  }
  return rows;
}

torch::Tensor BertImpl::forward(const torch::Tensor& tokens) {
  return classify(class_rows(tokens).back());
}

}  // namespace tokensieve::nn
