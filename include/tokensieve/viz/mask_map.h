#pragma once

#include <span>

#include "tokensieve/core/attention_masks.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// What each head lets one patch see (MaiT, arXiv 2207.03006): a small picture for every head,
/// blocks with masked heads from left to right, heads from top to bottom. The patch has a yellow
/// frame; what it attends to by the keys is in colour, what the mask covers is grey, and tokens
/// that left in an earlier block are dark. `num_heads` has the heads of each block; `query` is a
/// patch, row-major, or -1 for the one nearest to the middle of those that stay to the end. Tokens
/// that share a row are drawn where they were. Returns RGB with labels and a legend on white.
/// Throws std::invalid_argument for a view that does not validate, masks that do not fit the heads
/// or are none, and a query outside the grid.
Image draw_mask_map(const RetentionView& view, const AttentionMasks& masks,
                    std::span<const int> num_heads, int query = -1);

}  // namespace tokensieve
