#include "vit_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "patches.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

VitRun::VitRun(const VitConfig& config, const VitWeights& weights, const Schedule& schedule,
               Workspace::Buffers& buffers)
    : RaggedRun({.name = "[vit]",
                 .dim = config.embed_dim,
                 .head_dim = config.head_dim,
                 .depth = config.depth(),
                 .num_prefix_tokens = config.num_prefix_tokens(),
                 .layer_norm_eps = config.layer_norm_eps},
                schedule, buffers),
      config_(config),
      weights_(weights),
      predictors_(weights.predictors, buffers) {}

void VitRun::predicted() {
  for (int64_t b = 0; b < layout_.batch(); ++b) {
    predictor_macs_[static_cast<size_t>(b)] +=
        count_predictor_macs(config_, layout_.count(b) - config_.num_prefix_tokens());
  }
}

std::vector<RunOutput> VitRun::operator()(std::span<const PixelsView> images) {
  embed(images);
  for (int layer = 0; layer < config_.depth(); ++layer) block(layer);
  return outputs(logits(pool()));
}

void VitRun::embed(std::span<const PixelsView> images) {
  const int64_t prefix = config_.num_prefix_tokens(), dim = config_.embed_dim;
  std::vector<int64_t> counts;
  std::vector<uint64_t> keys;
  for (const PixelsView& image : images) {
    counts.push_back(int64_t{image.height / config_.patch_size} *
                     (image.width / config_.patch_size));
    grid_widths_.push_back(image.width / config_.patch_size);
    keys.push_back(schedule_.sites().empty() ? 0 : pixels_key(image, config_.in_channels));
  }
  start(std::move(counts), std::move(keys));
  predictor_macs_.assign(images.size(), 0);

  const RowsView<float> x = state();
  const RowsView<float> embedded = patch_rows(images);
  for (int64_t b = 0, row = 0; b < layout_.batch(); row += input_counts_[b++]) {
    std::copy_n(weights_.prefix.data(), prefix * dim, x.row(layout_.offset(b)).data());
    const auto positions = weights_.patch_positions(images[b].height / config_.patch_size,
                                                    images[b].width / config_.patch_size);
    const float* from = embedded.row(row).data();
    float* to = x.row(layout_.offset(b) + prefix).data();
    for (int64_t i = 0; i < input_counts_[b] * dim; ++i) to[i] = from[i] + (*positions)[i];
  }
  if (weights_.pre_norm) normalize(*weights_.pre_norm, x, x);
}

RowsView<float> VitRun::patch_rows(std::span<const PixelsView> images) {
  const int64_t patches = layout_.rows() - layout_.batch() * config_.num_prefix_tokens();
  if (weights_.stem) {
    const RowsView<float> embedded = buffers_.normed.rows<float>(patches, config_.embed_dim);
    for (int64_t b = 0, row = 0; b < layout_.batch(); row += input_counts_[b++]) {
      buffers_.executed_macs +=
          weights_.stem->run(images[b], {embedded.row(row).data(), input_counts_[b], embedded.cols},
                             buffers_.maps, buffers_.scratchpad);
    }
    return embedded;
  }
  const RowsView<float> cut = buffers_.hidden.rows<float>(patches, weights_.patch_embed->in());
  for (int64_t b = 0, row = 0; b < layout_.batch(); row += input_counts_[b++]) {
    cut_patches(images[b], config_.in_channels, config_.patch_size,
                {cut.row(row).data(), input_counts_[b], cut.cols});
  }
  return buffers_.linear(*weights_.patch_embed, cut, buffers_.normed, Epilogue::none);
}

void VitRun::block(int layer) {
  const BlockWeights& block = weights_.blocks[static_cast<size_t>(layer)];
  visit({layer, SitePosition::before_block});
  note(layer, &LayerTokens::attention);
  if (block.qkv) attend(block, layer);
  note(layer, &LayerTokens::queries);
  visit({layer, SitePosition::after_attention});
  note(layer, &LayerTokens::mlp);
  if (block.fc1) mlp(block);
  visit({layer, SitePosition::after_block});
}

void VitRun::attend(const BlockWeights& block, int layer) {
  const RowsView<float> x = state();
  const RowsView<float> normed = buffers_.normed.rows<float>(x.rows, x.cols);
  normalize(block.norm1, x, normed);
  residual(*block.proj, RaggedRun::attend(*block.qkv, normed, block.num_heads, layer));
}

void VitRun::mask(int layer, AttentionInput& input) {
  const AttentionMasks& masks = config_.masks;
  const std::span<const int> heads = masks.of_block(layer);
  if (heads.empty()) return;
  bool covered = true;
  for (size_t b = 0; b < grid_widths_.size(); ++b) {
    covered = covered && masks.covers(input_counts_[b] / grid_widths_[b], grid_widths_[b]);
  }
  if (covered) return;
  if (!neighbourhoods_hold_) {
    list_neighbourhoods(masks, layout_, buffers_.columns.origin(), config_.num_prefix_tokens(),
                        grid_widths_, input_counts_, buffers_.neighbourhoods);
    buffers_.neighbour_tables.fill(buffers_.neighbourhoods, layout_);
    neighbourhoods_hold_ = true;
  }
  input.masked_heads = heads;
  input.neighbourhoods = &buffers_.neighbourhoods;
  input.tables = &buffers_.neighbour_tables;
  input.hard = masks.kind == AttentionMasks::Kind::hard;
}

void VitRun::mlp(const BlockWeights& block) {
  const RowsView<float> x = state();
  const RowsView<float> normed = buffers_.normed.rows<float>(x.rows, x.cols);
  normalize(block.norm2, x, normed);
  residual(*block.fc2, buffers_.linear(*block.fc1, normed, buffers_.hidden, Epilogue::gelu));
}

RowsView<float> VitRun::pool() {
  const RowsView<float> x = state();
  const int64_t prefix = config_.num_prefix_tokens(), batch = layout_.batch();
  const bool tokens = config_.pooling == Pooling::class_token;
  // Norms act on single rows, so only the rows that the head reads are normalised.
  const int64_t read = tokens ? (config_.distilled ? 2 : 1) : 0;
  if (tokens) {
    // The second head reads from row `batch` on, rounded up as every linear does.
    buffers_.attended.rows<float>((read - 1) * batch + bucketed_rows(batch), x.cols);
    const RowsView<float> pooled = buffers_.attended.rows<float>(read * batch, x.cols);
    for (int64_t token = 0; token < read; ++token) {
      for (int64_t b = 0; b < batch; ++b) {
        std::ranges::copy(x.row(layout_.offset(b) + token), pooled.row(token * batch + b).begin());
      }
    }
    if (weights_.final_norm) normalize(*weights_.final_norm, pooled, pooled);
    if (weights_.fc_norm) normalize(*weights_.fc_norm, pooled, pooled);
    return pooled;
  }
  if (weights_.final_norm) normalize(*weights_.final_norm, x, x);
  const RowsView<float> pooled = buffers_.attended.rows<float>(batch, x.cols);
  // A merged row counts as often as the tokens it holds, as it does in attention.
  const std::span<const float> sizes = buffers_.columns.size();
  const bool weighted = schedule_.proportional_attention();
  for (int64_t b = 0; b < batch; ++b) {
    std::ranges::fill(pooled.row(b), 0.0f);
    float count = 0.0f;
    for (int64_t i = layout_.offset(b) + prefix; i < layout_.offset(b + 1); ++i) {
      const float size = weighted ? sizes[static_cast<size_t>(i)] : 1.0f;
      for (int64_t c = 0; c < x.cols; ++c) pooled.row(b)[c] += size * x.row(i)[c];
      count += size;
    }
    for (float& value : pooled.row(b)) value /= count;
  }
  if (weights_.fc_norm) normalize(*weights_.fc_norm, pooled, pooled);
  return pooled;
}

RowsView<float> VitRun::logits(RowsView<float> pooled) {
  const int64_t batch = layout_.batch();
  if (!weights_.head) return {pooled.data, batch, pooled.cols};
  const RowsView<float> logits = buffers_.linear(*weights_.head, {pooled.data, batch, pooled.cols},
                                                 buffers_.normed, Epilogue::none);
  if (weights_.head_dist) {
    const RowsView<const float> second(pooled.row(batch).data(), batch, pooled.cols);
    const RowsView<float> other =
        buffers_.linear(*weights_.head_dist, second, buffers_.hidden, Epilogue::none);
    for (int64_t i = 0; i < batch * logits.cols; ++i) {
      logits.data[i] = (logits.data[i] + other.data[i]) / 2.0f;
    }
  }
  if (weights_.aux_head) add_aux_head(logits);
  return logits;
}

void VitRun::add_aux_head(RowsView<float> logits) {
  const int64_t prefix = config_.num_prefix_tokens(), batch = layout_.batch();
  const RowsView<float> x = state();
  const RowsView<float> tokens = buffers_.qkv.rows<float>(x.rows - batch * prefix, x.cols);
  for (int64_t b = 0, row = 0; b < batch; ++b) {
    const int64_t count = layout_.count(b) - prefix;
    std::copy_n(x.row(layout_.offset(b) + prefix).data(), count * x.cols, tokens.row(row).data());
    row += count;
  }
  if (weights_.final_norm) normalize(*weights_.final_norm, tokens, tokens);
  const RowsView<float> scores =
      buffers_.linear(*weights_.aux_head, tokens, buffers_.hidden, Epilogue::none);
  for (int64_t b = 0, row = 0; b < batch; ++b) {
    const RowsView<float> best{scores.row(row).data(), 1, scores.cols};
    for (const int64_t end = row + layout_.count(b) - prefix; row < end; ++row) {
      for (int64_t c = 0; c < scores.cols; ++c) {
        const float value = scores.row(row)[c];
        if (value > best.data[c] || std::isnan(value)) best.data[c] = value;
      }
    }
    for (int64_t c = 0; c < scores.cols; ++c) logits.row(b)[c] += 0.5f * best.data[c];
  }
}

std::vector<RunOutput> VitRun::outputs(RowsView<float> logits) {
  const int64_t batch = layout_.batch();
  auto traces = buffers_.recorder.take();
  std::vector<RunOutput> outputs(static_cast<size_t>(batch));
  for (int64_t b = 0; b < batch; ++b) {
    RunOutput& output = outputs[static_cast<size_t>(b)];
    output.logits.assign(logits.row(b).begin(), logits.row(b).end());
    output.trace = std::move(traces[static_cast<size_t>(b)]);
    output.layers = std::move(layers_[static_cast<size_t>(b)]);
    output.macs = count_macs(config_, input_counts_[b], output.layers, layout_.count(b));
    output.macs.predictors = predictor_macs_[static_cast<size_t>(b)];
  }
  return outputs;
}

}  // namespace tokensieve
