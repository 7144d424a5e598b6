#pragma once

#include <vector>

#include "tokensieve/data/image_loader.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::nn {

/// The class token's attention to every row, mean over heads (EViT, arXiv 2202.07800 eq. 3):
/// `[B, n]`, float32, with gradients, as all of these.
torch::Tensor class_attention(const AttentionTap& tap);
/// Attention received: mean over heads and queries (SaiT, arXiv 2210.05832).
torch::Tensor received_attention(const AttentionTap& tap);
/// The class token's attention, heads weighted by the length of the row's own outputs (AS-ViT,
/// arXiv 2209.13802).
torch::Tensor weighted_class_attention(const AttentionTap& tap);

/// Attention locality (MaiT, arXiv 2207.03006 eq. 3): what a head gives to the neighbourhoods of
/// `masks`, mean over queries and samples: `[H]`, 1 where all of it stays near. `tap` is of all
/// rows of the config's grid.
torch::Tensor attention_locality(const AttentionTap& tap, const VitConfig& config,
                                 const AttentionMasks& masks);

/// The same of every block and head, `[blocks][heads]`, mean over one pass of `loader`, whose
/// pictures are of the network's size.
std::vector<std::vector<double>> attention_locality(Vit network, ImageLoader& loader,
                                                    const AttentionMasks& masks,
                                                    torch::Device device, bool bf16);

}  // namespace tokensieve::nn
