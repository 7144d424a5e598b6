#pragma once

#include <torch/torch.h>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/data/image_loader.h"

namespace tokensieve::nn {

/// A batch's pixels `[B, channels, H, W]` on `device`; on the CPU a view that lives as long as the
/// batch. Throws std::invalid_argument when the pictures are of another size than the network's.
torch::Tensor pixels_of(const Batch& batch, const VitConfig& config, torch::Device device);

}  // namespace tokensieve::nn
