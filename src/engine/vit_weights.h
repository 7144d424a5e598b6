#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "block_weights.h"
#include "conv_stem.h"
#include "norm.h"
#include "onednn/linear.h"
#include "predictor.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// A network's weights, packed, with those of its predictors if it has any. Query scaling
/// (head_dim^-0.5) is folded into qkv, LayerScale and 1 / skip_lam into proj and fc2.
struct VitWeights {
  /// `predictor_source` may be null.
  VitWeights(const VitConfig& config, const WeightSource& source,
             const WeightSource* predictor_source);

  LinearCache cache;
  std::optional<Linear> patch_embed;  ///< Absent where there is a stem.
  std::optional<ConvStem> stem;
  std::vector<float> prefix;  ///< [num_prefix_tokens, embed_dim], positions added.
  std::optional<Norm> pre_norm, final_norm, fc_norm;
  std::vector<BlockWeights> blocks;
  std::optional<Linear> head, head_dist, aux_head;
  std::vector<Predictor> predictors;  ///< One a site; empty without any.

  /// Positions of the patches of a `height` x `width` grid, `[height * width, embed_dim]`.
  /// Thread-safe; the last few grids are kept.
  std::shared_ptr<const std::vector<float>> patch_positions(int64_t height, int64_t width) const;

 private:
  std::vector<float> positions_;  // [grid, embed_dim] of the config's grid
  int64_t grid_height_, grid_width_, dim_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<int64_t, int64_t>, std::shared_ptr<const std::vector<float>>>
      resampled_;
};

}  // namespace tokensieve
