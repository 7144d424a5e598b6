#pragma once

#include "tokensieve/io/image.h"

/// PIL's operations on 8-bit RGB pictures, equal to them to the last bit. All throw
/// invalid_argument if the image is empty or its pixels are not 3 * width * height bytes.
namespace tokensieve {

/// Mirrored left to right.
Image flip_horizontally(Image image);

/// ImageOps.autocontrast: each channel's darkest value becomes 0 and its brightest 255.
Image autocontrast(Image image);

/// ImageOps.equalize: each channel's histogram made flat.
Image equalize(Image image);

/// ImageOps.invert: 255 - value.
Image invert(Image image);

/// ImageOps.posterize: the `bits` highest bits of each value; 0 gives black. Throws
/// invalid_argument unless bits is 0 to 8.
Image posterize(Image image, int bits);

/// ImageOps.solarize: values from `threshold` on are inverted.
Image solarize(Image image, int threshold);

/// Adds to the values below 128, up to 255; as timm's solarize_add. Throws invalid_argument unless
/// `amount` is 0 to 255.
Image solarize_add(Image image, int amount);

/// ImageEnhance.Brightness: black at factor 0, the image at 1, brighter above. This and the next
/// three throw invalid_argument unless the factor is finite and not negative.
Image adjust_brightness(Image image, double factor);

/// ImageEnhance.Contrast: the mean grey at factor 0, the image at 1.
Image adjust_contrast(Image image, double factor);

/// ImageEnhance.Color, torchvision's saturation: grey at factor 0, the image at 1.
Image adjust_color(Image image, double factor);

/// ImageEnhance.Sharpness: smoothed at factor 0, the image at 1, sharpened above.
Image adjust_sharpness(Image image, double factor);

}  // namespace tokensieve
