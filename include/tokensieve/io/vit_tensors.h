#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tokensieve/core/vit_config.h"

namespace tokensieve {

/// Names and shapes of a network's tensors: what timm's VisionTransformer of that config has in its
/// state dict, no more and no less; LV-ViT's stem and second head have their authors' names, the
/// batch norms being part of the convolutions ("patch_embed.conv1.weight" and ".bias"). A patch
/// bias is there unless `pre_norm` is, as in timm. A block with no heads has no norm1, attn and
/// ls1; one with an MLP of width 0 has no norm2, mlp and ls2.
std::map<std::string, std::vector<std::int64_t>> vit_tensors(const VitConfig& config);

}  // namespace tokensieve
