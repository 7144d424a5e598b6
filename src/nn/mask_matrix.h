#pragma once

#include <torch/torch.h>

#include "tokensieve/core/vit_config.h"

namespace tokensieve::nn {

/// MaiT's mask of the config's grid, `[n, n]`: 1 where a row sees a key.
torch::Tensor mask_matrix(const VitConfig& config, const AttentionMasks& masks);

}  // namespace tokensieve::nn
