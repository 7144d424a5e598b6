#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tokensieve {

/// Resamples a position table from one patch grid to another as timm's resample_abs_pos_embed does:
/// separable cubic convolution (a = -0.5) with half-pixel centres, widened when it shrinks
/// (antialias). `grid` is `[height * width, dim]` row-major; returns `[new_height * new_width,
/// dim]`.
std::vector<float> resample_positions(std::span<const float> grid, int64_t height, int64_t width,
                                      int64_t new_height, int64_t new_width, int64_t dim);

}  // namespace tokensieve
