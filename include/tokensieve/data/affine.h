#pragma once

#include <array>
#include <cstdint>

#include "tokensieve/io/image.h"
#include "tokensieve/io/resize.h"

namespace tokensieve {

/// How the pixels of a moved picture are read, and what shows where it had none.
struct Sampling {
  /// bilinear or bicubic.
  Interpolation interpolation = Interpolation::bicubic;
  std::array<std::uint8_t, 3> fill = {128, 128, 128};
};

/// PIL's Image.transform(size, AFFINE, matrix): output pixel (x, y) is read at
/// (m[0] (x + 0.5) + m[1] (y + 0.5) + m[2], m[3] (x + 0.5) + m[4] (y + 0.5) + m[5]). Equal to PIL's
/// to the last bit where the compiler does not fuse multiplications with additions (any x86-64
/// build of this library); a fused one may move a value by one. Throws invalid_argument if the
/// image is empty, a number of the matrix is not finite, or the interpolation is lanczos.
Image transform_affine(const Image& image, const std::array<double, 6>& matrix,
                       const Sampling& sampling);

/// PIL's Image.rotate: counter-clockwise about the middle, size kept. Throws invalid_argument as
/// transform_affine does.
Image rotate(const Image& image, double degrees, const Sampling& sampling);

}  // namespace tokensieve
