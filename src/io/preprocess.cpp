#include "tokensieve/io/preprocess.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdint>
#include <utility>

#include "codecs.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

constexpr std::array<std::pair<std::string_view, CropMode>, 3> kNames{{
    {"center", CropMode::center},
    {"squash", CropMode::squash},
    {"border", CropMode::border},
}};

struct Size {
  int width;
  int height;
};

int to_side(double side) {
  check_runtime(side >= 1 && side <= INT_MAX,
                "[resize_and_crop] expected a picture that scales to 1 pixel or more a side, got ",
                side, "; it is too narrow");
  return static_cast<int>(side);
}

/// timm's ResizeKeepRatio: the image divided by one ratio for both sides, rounded half to even.
Size keep_ratio(const Image& image, Size target, bool longest) {
  const double x = static_cast<double>(image.width) / target.width;
  const double y = static_cast<double>(image.height) / target.height;
  const double ratio = longest ? std::max(x, y) : std::min(x, y);
  return {to_side(std::nearbyint(image.width / ratio)),
          to_side(std::nearbyint(image.height / ratio))};
}

/// torchvision's Resize(int): the short side to `side`, the long one in proportion, rounded down.
Size short_side_to(const Image& image, int side) {
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t longer = std::max(image.width, image.height);
  const std::int64_t proportional = side * longer / shorter;
  const int scaled = to_side(static_cast<double>(proportional));
  return image.width <= image.height ? Size{side, scaled} : Size{scaled, side};
}

Size resized_size(const Image& image, const Preprocessing& p) {
  const Size target{to_side(std::floor(p.width / p.crop_pct)),
                    to_side(std::floor(p.height / p.crop_pct))};
  if (p.crop_mode == CropMode::squash) return target;
  if (p.crop_mode == CropMode::border) return keep_ratio(image, target, true);
  return target.width == target.height ? short_side_to(image, target.width)
                                       : keep_ratio(image, target, false);
}

/// Where the middle `want` of `have` pixels start, as torchvision rounds it; 0 if there are not
/// enough.
int centered_offset(int have, int want) {
  return have > want ? static_cast<int>(std::nearbyint((have - want) / 2.0)) : 0;
}

}  // namespace

std::string_view crop_mode_name(CropMode mode) {
  return kNames[static_cast<std::size_t>(mode)].first;
}

CropMode parse_crop_mode(std::string_view name) {
  for (const auto& [known, mode] : kNames) {
    if (known == name) return mode;
  }
  fail_argument("[parse_crop_mode] expected center, squash or border, got '", printable(name), "'");
}

void check_preprocessing(const Preprocessing& p) {
  constexpr int kLongestSide = 16384;
  check_argument(
      p.height >= 1 && p.height <= kLongestSide && p.width >= 1 && p.width <= kLongestSide,
      "[preprocessing] expected height and width from 1 to ", kLongestSide, ", got ", p.height,
      " and ", p.width);
  check_argument(p.crop_pct > 0 && p.crop_pct <= 1,
                 "[preprocessing] expected crop_pct in (0, 1], got ", p.crop_pct);
  for (std::size_t c = 0; c < 3; ++c) {
    check_argument(std::isfinite(p.mean[c]), "[preprocessing] expected a finite mean, got ",
                   p.mean[c]);
    check_argument(std::isfinite(p.std[c]) && p.std[c] > 0,
                   "[preprocessing] expected std above 0, got ", p.std[c]);
  }
}

std::array<std::uint8_t, 3> mean_color(const Preprocessing& preprocessing) {
  std::array<std::uint8_t, 3> color{};
  for (std::size_t c = 0; c < 3; ++c) {
    color[c] = static_cast<std::uint8_t>(
        std::clamp(std::nearbyint(255.0 * preprocessing.mean[c]), 0.0, 255.0));
  }
  return color;
}

Image resize_and_crop(const Image& image, const Preprocessing& preprocessing) {
  check_preprocessing(preprocessing);
  check_image(image, "resize_and_crop");
  const Preprocessing& p = preprocessing;
  const auto [width, height] = resized_size(image, p);
  const Box window{centered_offset(width, p.width), centered_offset(height, p.height),
                   std::min(width, p.width), std::min(height, p.height)};
  Image seen = resize(image, width, height, p.interpolation, window);
  if (seen.width == p.width && seen.height == p.height) return seen;
  return center_crop(
      seen, p.width, p.height,
      p.crop_mode == CropMode::border ? mean_color(p) : std::array<std::uint8_t, 3>{});
}

void normalize(const Image& image, const Preprocessing& preprocessing, std::span<float> chw) {
  check_preprocessing(preprocessing);
  check_image(image, "normalize");
  check_argument(image.width == preprocessing.width && image.height == preprocessing.height,
                 "[normalize] expected an image of ", preprocessing.width, " x ",
                 preprocessing.height, ", got ", image.width, " x ", image.height,
                 "; resize_and_crop makes one");
  check_argument(chw.size() == image.pixels.size(), "[normalize] expected room for ",
                 image.pixels.size(), " floats, got ", chw.size());
  // A channel has only 256 values: dividing those is cheaper than dividing every pixel.
  std::array<std::array<float, 256>, 3> values;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      const float unit = static_cast<float>(v) / 255.0F;
      values[c][v] = (unit - preprocessing.mean[c]) / preprocessing.std[c];
    }
  }
  const std::size_t plane = chw.size() / 3;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      chw[c * plane + i] = values[c][image.pixels[3 * i + c]];
    }
  }
}

void preprocess(const Image& image, const Preprocessing& preprocessing, std::span<float> chw) {
  normalize(resize_and_crop(image, preprocessing), preprocessing, chw);
}

}  // namespace tokensieve
