#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "tokensieve/io/image.h"
#include "tokensieve/io/resize.h"

namespace tokensieve {

/// How a picture of any size becomes [height, width]; timm's crop modes.
enum class CropMode {
  center,  ///< Short side to size / crop_pct, aspect kept, then the middle. The rest is lost.
  squash,  ///< Each side to size / crop_pct, aspect not kept, then the middle.
  border,  ///< Long side to size / crop_pct, aspect kept, then the middle on a border of the mean.
};

/// "center", "squash" or "border".
std::string_view crop_mode_name(CropMode mode);

/// The mode of that name. Throws invalid_argument on another word.
CropMode parse_crop_mode(std::string_view name);

/// A model's evaluation transform. The defaults are DeiT's.
struct Preprocessing {
  int height = 224;
  int width = 224;
  /// The share of the resized side that the crop keeps; sides are floor(size / crop_pct) before it.
  double crop_pct = 0.875;
  CropMode crop_mode = CropMode::center;
  Interpolation interpolation = Interpolation::bicubic;
  /// Per channel R, G, B, in units of 0..1.
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};
};

/// Throws invalid_argument, naming the field, unless height and width are 1 to 16384, crop_pct is
/// in (0, 1], mean is finite and std finite and positive.
void check_preprocessing(const Preprocessing& preprocessing);

/// The colour that normalises to about zero, round(255 * mean): what borders are filled with.
std::array<std::uint8_t, 3> mean_color(const Preprocessing& preprocessing);

/// The picture as the model sees it, [height, width]: equal to the last bit to timm's evaluation
/// transform (torchvision's Resize and CenterCrop) before ToTensor. Throws invalid_argument if the
/// image is empty or check_preprocessing does, runtime_error if the picture is too narrow to scale.
Image resize_and_crop(const Image& image, const Preprocessing& preprocessing);

/// Writes (pixel / 255 - mean) / std to `chw`, [3, height, width] float32, rounded at each step as
/// torchvision's ToTensor and Normalize do. Throws invalid_argument if the image is not [height,
/// width] or `chw` not as long, or if check_preprocessing does.
void normalize(const Image& image, const Preprocessing& preprocessing, std::span<float> chw);

/// resize_and_crop, then normalize: `chw` is the model's input [3, height, width].
void preprocess(const Image& image, const Preprocessing& preprocessing, std::span<float> chw);

}  // namespace tokensieve
