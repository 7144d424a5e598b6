#pragma once

#include <span>
#include <vector>

#include "predictor.h"
#include "ragged_run.h"
#include "tokensieve/engine/vit.h"
#include "vit_weights.h"

namespace tokensieve {

/// One pass of a batch through the network.
class VitRun final : RaggedRun {
 public:
  VitRun(const VitConfig& config, const VitWeights& weights, const Schedule& schedule,
         Workspace::Buffers& buffers);
  std::vector<RunOutput> operator()(std::span<const PixelsView> images);

 private:
  void embed(std::span<const PixelsView> images);
  /// All images' patches without positions, `[sum of patches, embed_dim]`.
  RowsView<float> patch_rows(std::span<const PixelsView> images);
  void block(int layer);
  void attend(const BlockWeights& block, int layer);
  void mlp(const BlockWeights& block);
  /// What the masked heads of `layer` need.
  void mask(int layer, AttentionInput& input) override;
  TokenPredictor* predictor() override {
    return weights_.predictors.empty() ? nullptr : &predictors_;
  }
  void predicted() override;
  void follows(const TokenPlan&) override { neighbourhoods_hold_ = false; }
  RowsView<float> pool();
  RowsView<float> logits(RowsView<float> pooled);
  /// logits += 0.5 * max over a sample's tokens of the second head.
  void add_aux_head(RowsView<float> logits);
  std::vector<RunOutput> outputs(RowsView<float> logits);

  const VitConfig& config_;
  const VitWeights& weights_;
  PredictorRun predictors_;
  std::vector<int64_t> grid_widths_;     // [batch] patches in a line
  bool neighbourhoods_hold_ = false;     // for the rows that are there
  std::vector<int64_t> predictor_macs_;  // [batch]
};

}  // namespace tokensieve
