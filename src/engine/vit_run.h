#pragma once

#include <span>
#include <vector>

#include "predictor.h"
#include "tokensieve/engine/vit.h"
#include "vit_weights.h"
#include "workspace.h"

namespace tokensieve {

/// One pass of a batch through the network.
class VitRun {
 public:
  VitRun(const VitConfig& config, const VitWeights& weights, const Schedule& schedule,
         Workspace::Buffers& buffers);
  std::vector<VitOutput> operator()(std::span<const PixelsView> images);

 private:
  void embed(std::span<const PixelsView> images);
  /// All images' patches without positions, `[sum of patches, embed_dim]`.
  RowsView<float> patch_rows(std::span<const PixelsView> images);
  void block(int layer);
  void attend(const BlockWeights& block, int layer);
  void mlp(const BlockWeights& block);
  /// Decides and applies the site, if there is one.
  void visit(const Site& site);
  Reduction reduce(const ScheduledSite& site);
  void follow(const TokenPlan& plan);
  void residual(const Linear& linear, RowsView<const float> x);
  void normalize(const Norm& norm, RowsView<const float> x, RowsView<float> y);
  /// What the masked heads of `layer` need, and the pairs they will multiply.
  void mask(int layer, AttentionInput& input);
  /// Pairs of a query and a key that a masked head of `sample` multiplies.
  int64_t masked_pairs(const AttentionInput& input, int64_t sample) const;
  void count_masked_pairs(int layer, const AttentionInput& input);
  /// Log of every row's size, for attention in proportion to it.
  std::span<const float> key_bias();
  /// The pass ahead of a site inside attention: by-products only.
  void score_queries(const AttentionInput& input, const AttentionOutput& output, int layer);
  void run_attention(const AttentionInput& input, const AttentionOutput& output);
  RowsView<float> state();
  RowsView<float> pool();
  RowsView<float> logits(RowsView<float> pooled);
  /// logits += 0.5 * max over a sample's tokens of the second head.
  void add_aux_head(RowsView<float> logits);
  std::vector<VitOutput> outputs(RowsView<float> logits);

  const VitConfig& config_;
  const VitWeights& weights_;
  const Schedule& schedule_;
  Workspace::Buffers& buffers_;
  PredictorRun predictors_;
  RaggedLayout layout_;
  std::vector<int64_t> input_counts_;
  std::vector<int64_t> grid_widths_;  // [batch] patches in a line
  bool neighbourhoods_hold_ = false;  // for the rows that are there
  std::vector<uint64_t> sample_keys_;
  std::vector<std::vector<LayerTokens>> layers_;  // [batch][depth]
  std::vector<int64_t> predictor_macs_;           // [batch]
};

}  // namespace tokensieve
