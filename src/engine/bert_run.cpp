#include "bert_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tokensieve {
namespace {

/// Differs between texts that differ; only for seeded draws.
uint64_t tokens_key(const TokensView& text) {
  uint64_t key = 0x9e3779b97f4a7c15ull ^ text.ids.size();
  for (const int32_t id : text.ids) {
    key = (key ^ static_cast<uint32_t>(id)) * 0xff51afd7ed558ccdull;
    key ^= key >> 32;
  }
  return key;
}

void add(const std::vector<float>& table, int64_t entry, std::span<float> row) {
  const float* from = table.data() + entry * std::ssize(row);
  for (size_t c = 0; c < row.size(); ++c) row[c] += from[c];
}

}  // namespace

BertRun::BertRun(const BertConfig& config, const BertWeights& weights, const Schedule& schedule,
                 Workspace::Buffers& buffers)
    : RaggedRun({.name = "[bert]",
                 .dim = config.embed_dim,
                 .head_dim = config.head_dim,
                 .depth = config.depth(),
                 .num_prefix_tokens = 1,
                 .layer_norm_eps = config.layer_norm_eps},
                schedule, buffers),
      config_(config),
      weights_(weights),
      contributions_(weights.contributions, buffers) {}

std::vector<RunOutput> BertRun::operator()(std::span<const TokensView> texts) {
  embed(texts);
  for (int layer = 0; layer < config_.depth() && batch() > 0; ++layer) {
    block(layer);
    exit(layer);
  }
  return outputs();
}

bool BertRun::reads_all_tokens() const {
  return config_.has_token_head() ||
         (config_.head == TextHead::embedding && config_.pooling == TextPooling::mean);
}

void BertRun::embed(std::span<const TokensView> texts) {
  std::vector<int64_t> counts;
  std::vector<uint64_t> keys;
  for (const TokensView& text : texts) {
    num_tokens_.push_back(std::ssize(text.ids));
    counts.push_back(num_tokens_.back() - 1);
    keys.push_back(schedule_.sites().empty() ? 0 : tokens_key(text));
  }
  start(std::move(counts), std::move(keys));
  logits_.resize(texts.size());
  exit_states_.resize(texts.size());
  classifiers_.assign(texts.size(), 0);
  predictor_macs_.assign(texts.size(), 0);

  const RowsView<float> x = state();
  const int32_t padding = config_.position_offset - 1;  // -1, no id, for other networks
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < std::ssize(texts); ++b) {
    const TokensView& text = texts[static_cast<size_t>(b)];
    int64_t position = config_.position_offset;
    for (size_t i = 0; i < text.ids.size(); ++i) {
      const std::span<float> row = x.row(layout_.offset(b) + static_cast<int64_t>(i));
      std::copy_n(weights_.words.data() + int64_t{text.ids[i]} * x.cols, x.cols, row.data());
      if (!weights_.types.empty()) add(weights_.types, text.types.empty() ? 0 : text.types[i], row);
      // RoBERTa's padding tokens all read the row before the first one's and are not counted.
      add(weights_.positions, text.ids[i] == padding ? padding : position++, row);
    }
  }
  normalize(weights_.embedding_norm, x, x);
}

void BertRun::block(int layer) {
  const BlockWeights& block = weights_.blocks[static_cast<size_t>(layer)];
  visit({layer, SitePosition::before_block});
  note(layer, &LayerTokens::attention);
  if (block.qkv) {
    residual(*block.proj, attend(*block.qkv, state(), block.num_heads, layer));
    normalize(block.norm1, state(), state());
  }
  note(layer, &LayerTokens::queries);
  visit({layer, SitePosition::after_attention});
  note(layer, &LayerTokens::mlp);
  if (block.fc1) {
    residual(*block.fc2, buffers_.linear(*block.fc1, state(), buffers_.hidden, Epilogue::gelu));
    normalize(block.norm2, state(), state());
  }
  visit({layer, SitePosition::after_block});
}

void BertRun::predicted() {
  for (int64_t b = 0; b < batch(); ++b) {
    predictor_macs_[static_cast<size_t>(samples()[static_cast<size_t>(b)])] +=
        count_predictor_macs(config_, layout_.count(b));
  }
}

void BertRun::follows(const TokenPlan& plan) {
  if (!reads_all_tokens()) return;
  if (!parked_) parked_.emplace(layout_, config_.embed_dim, buffers_.parked);
  parked_->follow(plan, state());
}

void BertRun::exit(int layer) {
  if (schedule_.exit().is_never() || layer + 1 == config_.depth()) return;
  const RowsView<float> logits = classify(weights_.exits[static_cast<size_t>(layer)]);
  std::vector<int64_t> stay;
  for (int64_t b = 0; b < batch(); ++b) {
    const auto sample = static_cast<size_t>(samples()[static_cast<size_t>(b)]);
    if (schedule_.exit().exits(logits.row(b), exit_states_[sample])) {
      logits_[sample].assign(logits.row(b).begin(), logits.row(b).end());
    } else {
      stay.push_back(b);
    }
  }
  select(stay, layer);
}

RowsView<float> BertRun::classify(const Linear& classifier) {
  const RowsView<float> x = state();
  RowsView<float> rows = buffers_.attended.rows<float>(batch(), x.cols);
  for (int64_t b = 0; b < batch(); ++b) {
    std::ranges::copy(x.row(layout_.offset(b)), rows.row(b).begin());
    ++classifiers_[static_cast<size_t>(samples()[static_cast<size_t>(b)])];
  }
  if (weights_.pooler) {
    rows = buffers_.linear(*weights_.pooler, rows, buffers_.normed, Epilogue::none);
    const bool tanh = config_.pooler == PoolerActivation::tanh;
    for (int64_t i = 0; i < rows.rows * rows.cols; ++i) {
      rows.data[i] = tanh ? std::tanh(rows.data[i]) : std::max(rows.data[i], 0.0f);
    }
  }
  return buffers_.linear(classifier, rows, buffers_.qkv, Epilogue::none);
}

void BertRun::write_class_logits() {
  if (batch() == 0) return;
  const RowsView<float> logits = classify(*weights_.classifier);
  for (int64_t b = 0; b < batch(); ++b) {
    logits_[static_cast<size_t>(samples()[static_cast<size_t>(b)])].assign(logits.row(b).begin(),
                                                                           logits.row(b).end());
  }
}

RowsView<float> BertRun::all_tokens() {
  return parked_ ? parked_->finish(layout_, state()) : state();
}

void BertRun::write_token_logits() {
  const RowsView<float> logits =
      buffers_.linear(*weights_.classifier, all_tokens(), buffers_.hidden, Epilogue::none);
  const float* from = logits.data;
  for (size_t sample = 0; sample < logits_.size(); ++sample) {
    const float* to = from + num_tokens_[sample] * logits.cols;
    logits_[sample].assign(from, to);
    from = to;
  }
}

void BertRun::write_embeddings() {
  const bool mean = config_.pooling == TextPooling::mean;
  const RowsView<const float> rows = mean ? all_tokens() : state();
  int64_t first = 0;  // row of the sample
  for (int64_t b = 0; b < batch(); ++b) {
    std::vector<float>& embedding = logits_[static_cast<size_t>(b)];
    embedding.assign(static_cast<size_t>(rows.cols), 0.0f);
    const int64_t all = mean ? num_tokens_[static_cast<size_t>(b)] : layout_.count(b);
    const int64_t count = mean ? all : 1;
    for (int64_t i = 0; i < count; ++i) {
      const std::span<const float> row = rows.row(first + i);
      for (size_t c = 0; c < row.size(); ++c) embedding[c] += row[c];
    }
    first += all;
    double squares = 0.0;
    for (float& value : embedding) {
      value /= static_cast<float>(count);
      squares += double{value} * value;
    }
    if (!config_.normalize || squares == 0.0) continue;
    for (float& value : embedding) value = static_cast<float>(value / std::sqrt(squares));
  }
}

std::vector<RunOutput> BertRun::outputs() {
  if (config_.has_token_head()) {
    write_token_logits();
  } else if (config_.head == TextHead::classification) {
    write_class_logits();
  } else {
    write_embeddings();
  }
  auto traces = buffers_.recorder.take();
  std::vector<RunOutput> outputs(logits_.size());
  for (size_t sample = 0; sample < outputs.size(); ++sample) {
    RunOutput& output = outputs[sample];
    output.logits = std::move(logits_[sample]);
    output.trace = std::move(traces[sample]);
    output.layers = std::move(layers_[sample]);
    output.macs = count_macs(config_, output.layers, num_tokens_[sample], classifiers_[sample]);
    output.macs.predictors = predictor_macs_[sample];
  }
  return outputs;
}

}  // namespace tokensieve
