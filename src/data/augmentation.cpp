#include "tokensieve/data/augmentation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include "checks.h"
#include "random_erasing.h"
#include "tokensieve/data/pixel_ops.h"

namespace tokensieve {
namespace {

/// Each step draws from a stream of its own: turning one off changes no other.
enum Stream : std::uint64_t { kCrop, kFlip, kColor, kErase };

constexpr int kTries = 10;

void check_probability(double value, std::string_view field) {
  check_argument(value >= 0 && value <= 1, "[augmentation] expected ", field, " in [0, 1], got ",
                 value);
}

void check_range(const std::array<double, 2>& range, double most, std::string_view field) {
  const bool ok = range[0] > 0 && range[0] <= range[1] && range[1] <= most;
  check_argument(ok && std::isfinite(range[1]), "[augmentation] expected ", field,
                 " from a smaller to a larger number above 0 and at most ", most, ", got ",
                 range[0], " to ", range[1]);
}

/// The largest middle part whose aspect is in range.
Box middle_box(int width, int height, const std::array<double, 2>& aspect) {
  const double have = static_cast<double>(width) / height;
  Box box{0, 0, width, height};
  if (have < aspect[0]) box.height = static_cast<int>(std::nearbyint(width / aspect[0]));
  if (have > aspect[1]) box.width = static_cast<int>(std::nearbyint(height * aspect[1]));
  // A picture one pixel wide may ask for less than one.
  box.width = std::clamp(box.width, 1, width);
  box.height = std::clamp(box.height, 1, height);
  box.left = (width - box.width) / 2;
  box.top = (height - box.height) / 2;
  return box;
}

/// torchvision's ColorJitter without hue.
Image jitter_colors(Image image, double amount, Random& random) {
  using Adjust = Image (*)(Image, double);
  constexpr std::array<Adjust, 3> kAdjustments = {adjust_brightness, adjust_contrast, adjust_color};
  for (const std::uint32_t which : random.permutation(kAdjustments.size())) {
    const double factor = random.uniform(std::max(0.0, 1.0 - amount), 1.0 + amount);
    image = kAdjustments[which](std::move(image), factor);
  }
  return image;
}

}  // namespace

void check_augmentation(const Augmentation& augmentation) {
  const Augmentation& a = augmentation;
  check_range(a.crop_area, 1.0, "crop_area");
  check_range(a.crop_aspect, 1e6, "crop_aspect");
  check_range(a.erase_area, 1.0, "erase_area");
  check_range(a.erase_aspect, 1e6, "erase_aspect");
  check_probability(a.flip, "flip");
  check_probability(a.color_jitter, "color_jitter");
  check_probability(a.erase, "erase");
  check_argument(!a.interpolations.empty(), "[augmentation] expected an interpolation, got none");
  check_argument(
      std::ranges::find(a.interpolations, Interpolation::lanczos) == a.interpolations.end(),
      "[augmentation] expected interpolations bilinear or bicubic, got lanczos");
  if (a.rand_augment) check_rand_augment(*a.rand_augment);
}

Box random_crop_box(int width, int height, const Augmentation& augmentation, Random& random) {
  check_argument(width >= 1 && height >= 1, "[random_crop_box] expected sides from 1, got ", width,
                 " x ", height);
  const auto [narrow, wide] = augmentation.crop_aspect;
  const double area = static_cast<double>(width) * height;
  for (int i = 0; i < kTries; ++i) {
    const double wanted =
        area * random.uniform(augmentation.crop_area[0], augmentation.crop_area[1]);
    const double aspect = std::exp(random.uniform(std::log(narrow), std::log(wide)));
    const double w = std::nearbyint(std::sqrt(wanted * aspect));
    const double h = std::nearbyint(std::sqrt(wanted / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    Box box{0, 0, static_cast<int>(w), static_cast<int>(h)};
    box.top = static_cast<int>(random.below(static_cast<std::uint32_t>(height - box.height + 1)));
    box.left = static_cast<int>(random.below(static_cast<std::uint32_t>(width - box.width + 1)));
    return box;
  }
  return middle_box(width, height, augmentation.crop_aspect);
}

Crop draw_crop(int width, int height, const Augmentation& augmentation, std::uint64_t seed) {
  Random random(seed, kCrop);
  return {random_crop_box(width, height, augmentation, random), width, height,
          Random(seed, kFlip).chance(augmentation.flip)};
}

Image augment_pixels(const Image& image, const Augmentation& augmentation,
                     const Preprocessing& preprocessing, std::uint64_t seed) {
  check_augmentation(augmentation);
  check_preprocessing(preprocessing);
  check_pixels(image, "augment_pixels");
  Random crop_random(seed, kCrop);
  const Box box = random_crop_box(image.width, image.height, augmentation, crop_random);
  const auto count = static_cast<std::uint32_t>(augmentation.interpolations.size());
  const Interpolation interpolation = augmentation.interpolations[crop_random.below(count)];
  Image out = resize(crop(image, box), preprocessing.width, preprocessing.height, interpolation);

  if (Random(seed, kFlip).chance(augmentation.flip)) out = flip_horizontally(std::move(out));

  Random color_random(seed, kColor);
  if (augmentation.rand_augment) {
    return rand_augment(std::move(out), *augmentation.rand_augment, augmentation.interpolations,
                        mean_color(preprocessing), color_random);
  }
  if (augmentation.color_jitter == 0) return out;
  return jitter_colors(std::move(out), augmentation.color_jitter, color_random);
}

void augment(const Image& image, const Augmentation& augmentation,
             const Preprocessing& preprocessing, std::uint64_t seed, std::span<float> chw) {
  normalize(augment_pixels(image, augmentation, preprocessing, seed), preprocessing, chw);
  Random random(seed, kErase);
  if (!random.chance(augmentation.erase)) return;
  erase_rectangle(chw, preprocessing.height, preprocessing.width, augmentation, random);
}

}  // namespace tokensieve
