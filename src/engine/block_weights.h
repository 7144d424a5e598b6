#pragma once

#include <cstddef>
#include <optional>

#include "norm.h"
#include "onednn/linear.h"

namespace tokensieve {

/// Primitives a model may hold: up to eight linears for some dozens of row counts.
inline constexpr std::size_t kCachedPrimitives = 512;

/// One transformer block. A half whose linears are absent is skipped, its norm with it. norm1 goes
/// with attention and norm2 with the MLP: before them in a ViT, after the residual in a BERT.
struct BlockWeights {
  Norm norm1, norm2;
  std::optional<Linear> qkv, proj, fc1, fc2;
  int num_heads = 0;
};

}  // namespace tokensieve
