#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention.h"
#include "kernels/layer_norm.h"
#include "positions.h"
#include "tokensieve/core/schedule.h"
#include "tokensieve/engine/vit.h"

namespace tokensieve::test {

/// One image through a ViT in plain loops, sites included: the oracle of the engine. Slow,
/// unpacked, one sample at a time, nothing folded or fused.
class PlainVit {
 public:
  /// `predictor` answers for learned scores; it may be null.
  PlainVit(const VitConfig& config, const WeightSource& weights,
           TokenPredictor* predictor = nullptr)
      : c_(config), w_(weights), predictor_(predictor) {}

  std::vector<float> operator()(const PixelsView& image, const Schedule& schedule) {
    embed(image);
    for (int l = 0; l < c_.depth(); ++l) {
      const std::string s = "blocks." + std::to_string(l);
      visit(schedule, {l, SitePosition::before_block});
      if (c_.num_heads[l]) attend(schedule, l, s);
      visit(schedule, {l, SitePosition::after_attention});
      if (c_.mlp_dim[l]) {
        auto h = linear(norm(x_, s + ".norm2"), s + ".mlp.fc1", c_.mlp_dim[l]);
        for (float& v : h) v = 0.5f * v * (1.0f + std::erf(v / std::sqrt(2.0f)));
        add(linear(h, s + ".mlp.fc2", c_.embed_dim), s + ".ls2.gamma");
      }
      visit(schedule, {l, SitePosition::after_block});
    }
    return head();
  }

  int64_t rows() const { return static_cast<int64_t>(x_.size()) / c_.embed_dim; }

 private:
  struct Map {
    int64_t channels, height, width;
    std::vector<float> values;
  };

  std::vector<float> read(const std::string& name) {
    int64_t count = 1;
    for (const int64_t size : w_.shape(name)) count *= size;
    std::vector<float> values(static_cast<size_t>(count));
    w_.read(name, values);
    return values;
  }

  std::vector<float> linear(const std::vector<float>& x, const std::string& scope, int64_t out) {
    const auto weight = read(scope + ".weight");
    const auto bias = w_.contains(scope + ".bias") ? read(scope + ".bias")
                                                   : std::vector<float>(static_cast<size_t>(out));
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

  std::vector<float> norm(const std::vector<float>& x, const std::string& scope) {
    std::vector<float> y(x.size());
    const int64_t n = static_cast<int64_t>(x.size()) / c_.embed_dim;
    layer_norm_plain({x.data(), n, c_.embed_dim}, {y.data(), n, c_.embed_dim},
                     read(scope + ".weight"), read(scope + ".bias"), c_.layer_norm_eps);
    return y;
  }

  void add(const std::vector<float>& y, const std::string& gamma) {
    const auto scale = c_.layer_scale ? read(gamma) : std::vector<float>(c_.embed_dim, 1.0f);
    for (size_t i = 0; i < x_.size(); ++i) x_[i] += y[i] * scale[i % c_.embed_dim] / c_.skip_lam;
  }

  /// A convolution over `[channels, height, width]` as its definition has it.
  Map convolve(const Map& in, const std::string& scope, int64_t stride, int64_t padding) {
    const auto shape = w_.shape(scope + ".weight");
    const auto weight = read(scope + ".weight"), bias = read(scope + ".bias");
    const int64_t kernel = shape[2];
    Map out{shape[0],
            (in.height + 2 * padding - kernel) / stride + 1,
            (in.width + 2 * padding - kernel) / stride + 1,
            {}};
    for (int64_t o = 0; o < out.channels; ++o) {
      for (int64_t i = 0; i < out.height * out.width; ++i) {
        double sum = bias[o];
        for (int64_t k = 0; k < in.channels * kernel * kernel; ++k) {
          const int64_t y = i / out.width * stride - padding + k / kernel % kernel;
          const int64_t x = i % out.width * stride - padding + k % kernel;
          if (y < 0 || x < 0 || y >= in.height || x >= in.width) continue;
          const int64_t channel = k / kernel / kernel;
          sum += double{in.values[(channel * in.height + y) * in.width + x]} *
                 weight[o * in.channels * kernel * kernel + k];
        }
        out.values.push_back(static_cast<float>(sum));
      }
    }
    return out;
  }

  std::vector<float> patch_rows(const PixelsView& image) {
    const int64_t count = int64_t{c_.in_channels} * image.height * image.width;
    Map map{c_.in_channels, image.height, image.width, {image.data, image.data + count}};
    int64_t p = c_.patch_size;
    if (c_.stem_channels) {
      map = convolve(map, "patch_embed.conv1", 2, 3);
      for (float& v : map.values) v = std::max(v, 0.0f);
      for (const char* scope : {"patch_embed.conv2", "patch_embed.conv3"}) {
        map = convolve(map, scope, 1, 1);
        for (float& v : map.values) v = std::max(v, 0.0f);
      }
      p /= 2;
    }
    std::vector<float> cut;
    const int64_t gh = map.height / p, gw = map.width / p;
    for (int64_t i = 0; i < gh * gw; ++i) {
      for (int64_t ch = 0; ch < map.channels; ++ch) {
        for (int64_t y = 0; y < p; ++y) {
          for (int64_t x = 0; x < p; ++x) {
            cut.push_back(
                map.values[(ch * map.height + i / gw * p + y) * map.width + i % gw * p + x]);
          }
        }
      }
    }
    return linear(cut, "patch_embed.proj", c_.embed_dim);
  }

  void embed(const PixelsView& image) {
    const int64_t p = c_.patch_size, gh = image.height / p, gw = image.width / p;
    auto patches = patch_rows(image);
    auto table = read("pos_embed");
    x_.clear();
    if (c_.class_token) extend(read("cls_token"));
    if (c_.distilled) extend(read("dist_token"));
    if (c_.num_register_tokens) extend(read("reg_token"));
    const size_t with = c_.prefix_positions ? x_.size() : 0;
    for (size_t i = 0; i < with; ++i) x_[i] += table[i];
    const auto positions = resample_positions(std::span(table).subspan(with), c_.grid_height(),
                                              c_.grid_width(), gh, gw, c_.embed_dim);
    for (size_t i = 0; i < patches.size(); ++i) patches[i] += positions[i];
    extend(patches);
    if (c_.pre_norm) x_ = norm(x_, "norm_pre");
    layout_ = RaggedLayout::uniform(1, rows());
    input_count_ = gh * gw;
    grid_width_ = gw;
    columns_.reset(layout_, c_.num_prefix_tokens());
  }

  void extend(const std::vector<float>& more) { x_.insert(x_.end(), more.begin(), more.end()); }

  void attend(const Schedule& schedule, int layer, const std::string& scope) {
    const int heads = c_.num_heads[layer];
    const int64_t width = int64_t{heads} * c_.head_dim;
    auto qkv = linear(norm(x_, scope + ".norm1"), scope + ".attn.qkv", 3 * width);
    for (int64_t i = 0; i < rows(); ++i) {
      for (int64_t k = 0; k < width; ++k) {
        qkv[i * 3 * width + k] /= std::sqrt(static_cast<float>(c_.head_dim));
      }
    }
    const RaggedLayout keys = layout_;
    AttentionInput input;
    input.qkv = {qkv.data(), rows(), 3 * width};
    input.num_heads = heads;
    input.head_dim = c_.head_dim;
    input.layout = &keys;
    Neighbourhoods near;
    if (!c_.masks.of_block(layer).empty()) {
      list_neighbourhoods(c_.masks, layout_, columns_.origin(), c_.num_prefix_tokens(),
                          std::vector{grid_width_}, std::vector{input_count_}, near);
      input.masked_heads = c_.masks.of_block(layer);
      input.neighbourhoods = &near;
      input.hard = c_.masks.kind == AttentionMasks::Kind::hard;
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
    if (const auto* site = schedule.find({layer, SitePosition::inside_attention})) {
      const TokenPlan plan = reduce(*site);
      std::vector<float> chosen(static_cast<size_t>(plan.output_layout().rows() * width));
      plan.apply({out.data(), rows(), width}, {chosen.data(), plan.output_layout().rows(), width});
      out = std::move(chosen);
      follow(plan);
    }
    add(linear(out, scope + ".attn.proj", c_.embed_dim), scope + ".ls1.gamma");
  }

  void visit(const Schedule& schedule, const Site& site) {
    if (const auto* scheduled = schedule.find(site)) follow(reduce(*scheduled));
  }

  TokenPlan reduce(const ScheduledSite& site) {
    AttentionTrace trace;
    trace.class_row = class_row_;
    trace.column_mean = column_mean_;
    trace.query_counts = queries_;
    const std::vector<int64_t> counts = {input_count_};
    const std::vector<uint64_t> keys = {0};
    return site.reducer
        ->reduce({.layout = layout_,
                  .state = {x_.data(), rows(), c_.embed_dim},
                  .columns = columns_,
                  .attention = trace,
                  .input_counts = counts,
                  .sample_keys = keys,
                  .num_prefix_tokens = c_.num_prefix_tokens(),
                  .site = site.site,
                  .site_index = site.index,
                  .predictor = predictor_})
        .plan;
  }

  void follow(const TokenPlan& plan) {
    const int64_t n = plan.output_layout().rows();
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

  std::vector<float> head() {
    const int64_t prefix = c_.num_prefix_tokens();
    if (c_.final_norm) x_ = norm(x_, "norm");
    const auto row = [&](int64_t i) {
      return std::vector<float>(x_.begin() + i * c_.embed_dim, x_.begin() + (i + 1) * c_.embed_dim);
    };
    std::vector<float> pooled = c_.pooling == Pooling::class_token
                                    ? row(0)
                                    : std::vector<float>(static_cast<size_t>(c_.embed_dim));
    if (c_.pooling == Pooling::mean) {
      for (int64_t i = prefix; i < rows(); ++i) {
        const auto token = row(i);
        for (size_t k = 0; k < token.size(); ++k) {
          pooled[k] += token[k] / static_cast<float>(rows() - prefix);
        }
      }
    }
    if (c_.fc_norm) pooled = norm(pooled, "fc_norm");
    if (!c_.num_classes) return pooled;
    auto logits = linear(pooled, "head", c_.num_classes);
    if (c_.distilled) {
      const auto other = linear(row(1), "head_dist", c_.num_classes);
      for (size_t i = 0; i < logits.size(); ++i) logits[i] = (logits[i] + other[i]) / 2.0f;
    }
    if (c_.aux_head) {
      const auto all = linear(x_, "aux_head", c_.num_classes);
      for (int64_t k = 0; k < c_.num_classes; ++k) {
        float best = -1e30f;
        for (int64_t i = prefix; i < rows(); ++i)
          best = std::max(best, all[i * c_.num_classes + k]);
        logits[k] += 0.5f * best;
      }
    }
    return logits;
  }

  const VitConfig& c_;
  const WeightSource& w_;
  TokenPredictor* predictor_;
  std::vector<float> x_, class_row_, column_mean_;
  std::vector<int64_t> queries_;  ///< Of the last attention.
  RaggedLayout layout_;
  RowColumns columns_;
  int64_t input_count_ = 0, grid_width_ = 0;
};

}  // namespace tokensieve::test
