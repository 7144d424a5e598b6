#pragma once

#include <cstdint>

#include "tokensieve/core/rows_view.h"
#include "tokensieve/engine/vit.h"

namespace tokensieve {

/// Cuts an image into patch rows, row-major over the grid: row i holds `[channels, patch, patch]`
/// of patch i, the order in which a convolution's kernel is stored.
void cut_patches(const PixelsView& image, int channels, int patch_size, RowsView<float> rows);

/// A hash of a sample of the pixels, the same for the same picture wherever it stands in a
/// batch.
uint64_t pixels_key(const PixelsView& image, int channels);

}  // namespace tokensieve
