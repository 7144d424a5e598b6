#pragma once

#include <array>
#include <span>
#include <string_view>

#include "tokensieve/data/affine.h"
#include "tokensieve/data/random.h"
#include "tokensieve/io/image.h"

namespace tokensieve {

/// The operations RandAugment draws from: timm's set "increasing", in timm's order.
enum class PixelOperation {
  auto_contrast,
  equalize,
  invert,
  rotate,
  posterize,
  solarize,
  solarize_add,
  color,
  contrast,
  brightness,
  sharpness,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
};

/// All of them.
std::span<const PixelOperation> pixel_operations();

/// timm's name, such as "ShearX" or "SolarizeIncreasing".
std::string_view pixel_operation_name(PixelOperation operation);

/// The operation with the strength that `magnitude`, 0 to 10, stands for: 10 rotates by 30 degrees,
/// shears by 0.3, moves by 45 % of the side, changes colour, contrast, brightness and sharpness by
/// 90 %, and inverts, solarizes and posterizes to nothing. `negative` turns the direction of those
/// that have two. Throws invalid_argument if the magnitude is out of range or the image is empty.
Image apply_pixel_operation(const Image& image, PixelOperation operation, double magnitude,
                            bool negative, const Sampling& sampling);

/// RandAugment (Cubuk et al., 2020) as timm's `rand-m9-mstd0.5-inc1` does it: operations drawn with
/// repetition from all fifteen, each done or left out, each with a magnitude of its own.
struct RandAugment {
  /// How many are drawn.
  int operations = 2;
  /// The probability that one that was drawn is done.
  double probability = 0.5;
  /// Mean of the magnitude, 0 to 10.
  double magnitude = 9.0;
  /// Its standard deviation; what falls outside of 0 to 10 is set to the end.
  double magnitude_std = 0.5;
};

/// Throws invalid_argument, naming the field, unless operations is 0 to 100, probability in [0, 1],
/// magnitude in [0, 10] and magnitude_std finite and not negative.
void check_rand_augment(const RandAugment& options);

/// The image after the operations that `random` draws, each with an interpolation drawn from
/// `interpolations`, which holds bilinear, bicubic or both.
Image rand_augment(Image image, const RandAugment& options,
                   std::span<const Interpolation> interpolations, std::array<std::uint8_t, 3> fill,
                   Random& random);

}  // namespace tokensieve
