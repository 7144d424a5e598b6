#pragma once

#include <cstddef>
#include <string_view>

#include "tokensieve/core/error.h"
#include "tokensieve/io/image.h"

namespace tokensieve {

/// Throws invalid_argument unless the image has pixels and as many as its sides say.
inline void check_pixels(const Image& image, std::string_view operation) {
  const bool sides = image.width > 0 && image.height > 0;
  const std::size_t bytes = sides ? std::size_t{3} * static_cast<unsigned>(image.width) *
                                        static_cast<unsigned>(image.height)
                                  : 0;
  check_argument(sides && image.pixels.size() == bytes, "[", operation,
                 "] expected an image of 3 * width * height bytes, got ", image.width, " x ",
                 image.height, " with ", image.pixels.size(), " bytes");
}

}  // namespace tokensieve
