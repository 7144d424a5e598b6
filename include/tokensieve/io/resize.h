#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tokensieve/io/image.h"

namespace tokensieve {

/// Resampling filters, by PIL's names. When shrinking, the filter widens with the scale.
enum class Interpolation { bilinear, bicubic, lanczos };

/// "bilinear", "bicubic" or "lanczos".
std::string_view interpolation_name(Interpolation interpolation);

/// The filter of that name. Throws invalid_argument on another word.
Interpolation parse_interpolation(std::string_view name);

/// A rectangle of pixels; `left` and `top` count from the upper left corner.
struct Box {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

/// The image scaled to [height, width], equal to PIL's Image.resize to the last bit. (To Pillow
/// 13's: versions before it took another order of passes, and other roundings, where the height
/// shrinks by more than twice as many pixels as the width.) Throws invalid_argument if the image is
/// empty or a side is less than 1, or the result is larger than DecodeOptions' max_pixels.
Image resize(const Image& image, int width, int height, Interpolation interpolation);

/// What crop(resize(image, width, height, interpolation), window) gives, without computing the
/// rest: resize and centre crop in one go. Only the window counts against the size limit. Throws
/// invalid_argument as resize does, or if the window is empty or reaches outside [height, width].
Image resize(const Image& image, int width, int height, Interpolation interpolation,
             const Box& window);

/// The pixels of `box`. Throws invalid_argument if it is empty or reaches outside the image.
Image crop(const Image& image, const Box& box);

/// The [height, width] pixels in the middle, placed as torchvision's CenterCrop places them: odd
/// margins round to the even offset. Where the image is smaller it is centred on colour `fill`.
/// Throws invalid_argument if the image is empty or a side is less than 1.
Image center_crop(const Image& image, int width, int height,
                  std::array<std::uint8_t, 3> fill = {0, 0, 0});

}  // namespace tokensieve
