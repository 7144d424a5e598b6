#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokensieve/io/resize.h"

namespace tokensieve {

/// Fixed-point filter weights along one axis: output i is the sum over k < count[i] of
/// weights[offset[i] + k] times input first[i] + k.
struct Taps {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::size_t> offset;
  std::vector<std::int32_t> weights;  // 22 fractional bits

  std::size_t size() const { return first.size(); }
};

/// PIL's weights for scaling `input` pixels to `output`, for the outputs [begin, begin + size)
/// only.
Taps make_taps(Interpolation interpolation, int input, int output, int begin, int size);

/// Rows [top, top + height) of the image, resampled along x: [height, columns.size()].
Image resample_columns(const Image& image, int top, int height, const Taps& columns);

/// The image, whose first row is row `top` for the taps, resampled along y: [rows.size(),
/// image.width].
Image resample_rows(const Image& image, int top, const Taps& rows);

}  // namespace tokensieve
