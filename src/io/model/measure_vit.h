#pragma once

#include <span>
#include <string>
#include <utility>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// What config.json knows and the tensors do not.
struct VitHints {
  int num_heads = 0;             ///< Of a block that is not pruned.
  std::vector<int> block_heads;  ///< Heads block by block, where those vary; else empty.
  /// Image sizes, height and width, that the position table may be for; the first that fits is it.
  std::vector<std::pair<int, int>> image_sizes;
};

/// Fills in all sizes and switches of `config` that the tensors of `weights` tell. Name, pooling
/// and eps stay as they are; `prefix_positions` is believed only if the image size is not known.
/// Throws runtime_error naming `file` for tensors that make no ViT: every one must be there with
/// the shape that the others imply, and none besides.
VitConfig measure_vit(VitConfig config, const VitHints& hints, const WeightSource& weights,
                      const std::string& file);

/// Throws runtime_error naming `file` unless `weights` has the tensors of `config`, and no others.
void check_tensors(const VitConfig& config, const WeightSource& weights, const std::string& file);

}  // namespace tokensieve
