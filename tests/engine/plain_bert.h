#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/layer_norm.h"
#include "plain_contributions.h"
#include "tokensieve/core/schedule.h"
#include "tokensieve/engine/bert.h"
#include "tokensieve/io/bert_tensors.h"

namespace tokensieve::test {

/// One text through a BERT in plain loops, sites and exits included: the oracle of the engine.
/// Slow, one sample at a time, nothing folded or fused; every token's last state is written down as
/// it goes.
class PlainBert {
 public:
  PlainBert(const BertConfig& config, const WeightSource& weights, const WeightSource* sieve)
      : c_(config),
        w_(weights),
        sieve_(sieve),
        contributions_(*sieve),
        names_(bert_names(config)) {}

  std::vector<float> operator()(const TokensView& text, const Schedule& schedule) {
    embed(text);
    ExitState state;
    for (int l = 0; l < c_.depth(); ++l) {
      const BertBlockNames& names = names_.blocks[static_cast<size_t>(l)];
      visit(schedule, {l, SitePosition::before_block});
      if (c_.num_heads[l]) attend(schedule, l, names);
      visit(schedule, {l, SitePosition::after_attention});
      if (c_.mlp_dim[l]) {
        auto h = linear(w_, x_, names.fc1);
        for (float& v : h) v = 0.5f * v * (1.0f + std::erf(v / std::sqrt(2.0f)));
        add_and_norm(linear(w_, h, names.fc2), names.mlp_norm);
      }
      visit(schedule, {l, SitePosition::after_block});
      if (schedule.exit().is_never() || l + 1 == c_.depth()) continue;
      auto logits = linear(*sieve_, pooled(), exit_name(l));
      exit_layer = l;
      if (schedule.exit().exits(logits, state)) return logits;
    }
    exit_layer = -1;
    for (size_t token = 0; token < row_.size(); ++token) {
      if (row_[token] >= 0) last_[token] = row(row_[token]);
    }
    return head();
  }

  int exit_layer = -1;

 private:
  std::vector<float> read(const WeightSource& source, const std::string& name) {
    int64_t count = 1;
    for (const int64_t size : source.shape(name)) count *= size;
    std::vector<float> values(static_cast<size_t>(count));
    source.read(name, values);
    return values;
  }
  int64_t rows() const { return static_cast<int64_t>(x_.size()) / c_.embed_dim; }
  std::vector<float> row(int64_t i) const {
    return {x_.begin() + i * c_.embed_dim, x_.begin() + (i + 1) * c_.embed_dim};
  }

  std::vector<float> linear(const WeightSource& source, const std::vector<float>& x,
                            const std::string& scope) {
    const auto weight = read(source, scope + ".weight"), bias = read(source, scope + ".bias");
    const auto out = static_cast<int64_t>(bias.size());
    const int64_t in = static_cast<int64_t>(weight.size()) / out;
    const int64_t n = static_cast<int64_t>(x.size()) / in;
    std::vector<float> y(static_cast<size_t>(n * out));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t o = 0; o < out; ++o) {
        double sum = bias[o];
        for (int64_t k = 0; k < in; ++k) sum += double{x[i * in + k]} * weight[o * in + k];
        y[i * out + o] = static_cast<float>(sum);
      }
    }
    return y;
  }

  void norm(const std::string& scope) {
    std::vector<float> y(x_.size());
    layer_norm_plain({x_.data(), rows(), c_.embed_dim}, {y.data(), rows(), c_.embed_dim},
                     read(w_, scope + ".weight"), read(w_, scope + ".bias"), c_.layer_norm_eps);
    x_ = y;
  }

  void add_and_norm(const std::vector<float>& y, const std::string& scope) {
    for (size_t i = 0; i < x_.size(); ++i) x_[i] += y[i];
    norm(scope);
  }

  void embed(const TokensView& text) {
    const auto words = read(w_, names_.word_embeddings + ".weight");
    const auto positions = read(w_, names_.position_embeddings + ".weight");
    const auto types = c_.type_vocab_size ? read(w_, names_.token_type_embeddings + ".weight")
                                          : std::vector<float>();
    const int64_t dim = c_.embed_dim;
    x_.clear();
    last_.clear();
    row_.clear();
    for (size_t i = 0; i < text.ids.size(); ++i) {
      const int64_t position = c_.position_offset + static_cast<int64_t>(i);
      const int64_t type = text.types.empty() ? 0 : text.types[i];
      for (int64_t k = 0; k < dim; ++k) {
        const float of_type = types.empty() ? 0.0f : types[type * dim + k];
        x_.push_back(words[text.ids[i] * dim + k] + positions[position * dim + k] + of_type);
      }
      row_.push_back(static_cast<int32_t>(i));
    }
    last_.resize(row_.size());
    norm(names_.embedding_norm);
    layout_ = RaggedLayout::uniform(1, rows());
    input_count_ = rows() - 1;
    columns_.reset(layout_, 1);
  }

  void attend(const Schedule& schedule, int layer, const BertBlockNames& names) {
    const int heads = c_.num_heads[layer];
    const int64_t width = int64_t{heads} * c_.head_dim;
    const auto q = linear(w_, x_, names.query), k = linear(w_, x_, names.key),
               v = linear(w_, x_, names.value);
    std::vector<float> qkv;
    for (int64_t i = 0; i < rows(); ++i) {
      for (int64_t j = 0; j < width; ++j) {
        qkv.push_back(q[i * width + j] / std::sqrt(static_cast<float>(c_.head_dim)));
      }
      qkv.insert(qkv.end(), k.begin() + i * width, k.begin() + (i + 1) * width);
      qkv.insert(qkv.end(), v.begin() + i * width, v.begin() + (i + 1) * width);
    }
    const RaggedLayout keys = layout_;
    AttentionInput input;
    input.qkv = {qkv.data(), rows(), 3 * width};
    input.num_heads = heads;
    input.head_dim = c_.head_dim;
    input.layout = &keys;
    std::vector<float> key_bias;
    if (schedule.proportional_attention()) {
      for (const float size : columns_.size()) key_bias.push_back(std::log(size));
      input.key_bias = key_bias;
    }
    std::vector<float> out(static_cast<size_t>(rows() * width));
    std::vector<float> per_head(static_cast<size_t>(heads * rows()));
    column_mean_.assign(static_cast<size_t>(rows()), 0.0f);
    queries_ = {rows()};
    AttentionOutput output;
    output.rows = {out.data(), rows(), width};
    output.class_row_per_head = {per_head.data(), heads, rows()};
    output.column_mean = column_mean_;
    attention_plain(input, output);
    class_row_.assign(static_cast<size_t>(rows()), 0.0f);
    for (size_t i = 0; i < per_head.size(); ++i) {
      class_row_[i % class_row_.size()] += per_head[i] / static_cast<float>(heads);
    }
    mean_key_.assign(static_cast<size_t>(rows() * c_.head_dim), 0.0f);
    value_norm_.assign(static_cast<size_t>(rows()), 0.0f);
    for (int64_t i = 0; i < rows(); ++i) {
      for (int64_t j = 0; j < width; ++j) {
        mean_key_[i * c_.head_dim + j % c_.head_dim] +=
            k[i * width + j] / static_cast<float>(heads);
        value_norm_[i] += v[i * width + j] * v[i * width + j];
      }
      value_norm_[i] = std::sqrt(value_norm_[i]);
    }
    if (const auto* site = schedule.find({layer, SitePosition::inside_attention})) {
      const TokenPlan plan = reduce(*site);
      std::vector<float> chosen(static_cast<size_t>(plan.output_layout().rows() * width));
      plan.apply({out.data(), rows(), width}, {chosen.data(), plan.output_layout().rows(), width});
      out = std::move(chosen);
      follow(plan);
    }
    add_and_norm(linear(w_, out, names.attention_output), names.attention_norm);
  }

  void visit(const Schedule& schedule, const Site& site) {
    if (const auto* scheduled = schedule.find(site)) follow(reduce(*scheduled));
  }

  TokenPlan reduce(const ScheduledSite& site) {
    AttentionTrace trace;
    trace.class_row = class_row_;
    trace.column_mean = column_mean_;
    trace.query_counts = queries_;
    trace.value_norm = value_norm_;
    trace.mean_key = {mean_key_.data(), rows(), c_.head_dim};
    const std::vector<int64_t> counts = {input_count_};
    const std::vector<uint64_t> keys = {0};
    return site.reducer
        ->reduce({.layout = layout_,
                  .state = {x_.data(), rows(), c_.embed_dim},
                  .columns = columns_,
                  .attention = trace,
                  .input_counts = counts,
                  .sample_keys = keys,
                  .num_prefix_tokens = 1,
                  .site = site.site,
                  .site_index = site.index,
                  .predictor = c_.contributions ? &contributions_ : nullptr})
        .plan;
  }

  void follow(const TokenPlan& plan) {
    const int64_t n = plan.output_layout().rows();
    for (size_t token = 0; token < row_.size(); ++token) {
      if (row_[token] < 0) continue;
      int32_t next = -1;
      for (int32_t i = static_cast<int32_t>(n) - 1; i >= 0; --i) {
        for (const Source& source : plan.sources(i)) {
          if (source.row == row_[token]) next = i;
        }
      }
      if (next < 0) last_[token] = row(row_[token]);
      row_[token] = next;
    }
    std::vector<float> next(static_cast<size_t>(n * c_.embed_dim));
    plan.apply({x_.data(), rows(), c_.embed_dim}, {next.data(), n, c_.embed_dim});
    const auto gather = [&](std::vector<float>& values) {
      if (values.empty()) return;
      std::vector<float> moved(static_cast<size_t>(n));
      for (int64_t i = 0; i < n; ++i) {
        for (const Source& source : plan.sources(i)) moved[i] += values[source.row];
      }
      values = std::move(moved);
    };
    gather(class_row_);
    gather(column_mean_);
    x_ = std::move(next);
    columns_.apply(plan);
    layout_ = plan.output_layout();
  }

  std::vector<float> pooled() {
    std::vector<float> first = row(0);
    if (c_.pooler == PoolerActivation::none) return first;
    first = linear(w_, first, names_.pooler);
    for (float& v : first) {
      v = c_.pooler == PoolerActivation::tanh ? std::tanh(v) : std::max(v, 0.0f);
    }
    return first;
  }

  std::vector<float> head() {
    if (c_.head == TextHead::classification) return linear(w_, pooled(), names_.classifier);
    if (c_.has_token_head()) {
      std::vector<float> logits;
      for (const auto& token : last_) {
        const auto own = linear(w_, token, names_.classifier);
        logits.insert(logits.end(), own.begin(), own.end());
      }
      return logits;
    }
    std::vector<float> embedding(static_cast<size_t>(c_.embed_dim));
    const size_t count = c_.pooling == TextPooling::mean ? last_.size() : 1;
    for (size_t i = 0; i < count; ++i) {
      for (size_t k = 0; k < embedding.size(); ++k) {
        embedding[k] += last_[i][k] / static_cast<float>(count);
      }
    }
    double squares = 0.0;
    for (const float v : embedding) squares += double{v} * v;
    for (float& v : embedding) {
      if (c_.normalize) v = static_cast<float>(v / std::sqrt(squares));
    }
    return embedding;
  }

  const BertConfig& c_;
  const WeightSource& w_;
  const WeightSource* sieve_;
  PlainContributions contributions_;
  BertNames names_;
  std::vector<float> x_, class_row_, column_mean_, mean_key_, value_norm_;
  std::vector<int64_t> queries_;          ///< Of the last attention.
  std::vector<int32_t> row_;              // of each token, -1 once it is gone
  std::vector<std::vector<float>> last_;  // of each token
  RaggedLayout layout_;
  RowColumns columns_;
  int64_t input_count_ = 0;
};

}  // namespace tokensieve::test
