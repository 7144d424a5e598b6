#include "patches.h"

#include <algorithm>
#include <bit>

namespace tokensieve {

void cut_patches(const PixelsView& image, int channels, int patch_size, RowsView<float> rows) {
  const int64_t size = patch_size, width = image.width, height = image.height;
  const int64_t grid_width = width / size;
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < rows.rows; ++i) {
    float* to = rows.data + i * rows.stride;
    const float* from = image.data + i / grid_width * size * width + i % grid_width * size;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < size; ++y, to += size) {
        std::copy_n(from + (c * height + y) * width, size, to);
      }
    }
  }
}

// One pixel in so many: each step waits for the one before, and a call should not.
constexpr int64_t kPixelsPerStep = 31;

uint64_t pixels_key(const PixelsView& image, int channels) {
  const int64_t count = int64_t{channels} * image.height * image.width;
  uint64_t key = 0x9e3779b97f4a7c15ull ^ static_cast<uint64_t>(count);
  for (int64_t i = 0; i < count; i += kPixelsPerStep) {
    key = (key ^ std::bit_cast<uint32_t>(image.data[i])) * 0xff51afd7ed558ccdull;
    key ^= key >> 32;
  }
  return key;
}

}  // namespace tokensieve
