#include "tokensieve/data/rand_augment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tokensieve/core/error.h"
#include "tokensieve/data/pixel_ops.h"

namespace tokensieve {
namespace {

constexpr double kMaxMagnitude = 10.0;

constexpr std::array<std::pair<PixelOperation, std::string_view>, 15> kNames{{
    {PixelOperation::auto_contrast, "AutoContrast"},
    {PixelOperation::equalize, "Equalize"},
    {PixelOperation::invert, "Invert"},
    {PixelOperation::rotate, "Rotate"},
    {PixelOperation::posterize, "PosterizeIncreasing"},
    {PixelOperation::solarize, "SolarizeIncreasing"},
    {PixelOperation::solarize_add, "SolarizeAdd"},
    {PixelOperation::color, "ColorIncreasing"},
    {PixelOperation::contrast, "ContrastIncreasing"},
    {PixelOperation::brightness, "BrightnessIncreasing"},
    {PixelOperation::sharpness, "SharpnessIncreasing"},
    {PixelOperation::shear_x, "ShearX"},
    {PixelOperation::shear_y, "ShearY"},
    {PixelOperation::translate_x, "TranslateXRel"},
    {PixelOperation::translate_y, "TranslateYRel"},
}};

constexpr auto kOperations = [] {
  std::array<PixelOperation, kNames.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = kNames[i].first;
  return all;
}();

}  // namespace

std::span<const PixelOperation> pixel_operations() { return kOperations; }

std::string_view pixel_operation_name(PixelOperation operation) {
  return kNames[static_cast<std::size_t>(operation)].second;
}

Image apply_pixel_operation(const Image& image, PixelOperation operation, double magnitude,
                            bool negative, const Sampling& sampling) {
  check_argument(magnitude >= 0 && magnitude <= kMaxMagnitude,
                 "[apply_pixel_operation] expected a magnitude in [0, 10], got ", magnitude);
  // timm's order of multiplications, which decides the last bit.
  const double level = magnitude / kMaxMagnitude;
  const auto signed_by = [&](double range) { return negative ? -(level * range) : level * range; };
  const auto factor = [&] { return std::max(0.1, 1.0 + signed_by(0.9)); };
  switch (operation) {
    case PixelOperation::auto_contrast:
      return autocontrast(image);
    case PixelOperation::equalize:
      return equalize(image);
    case PixelOperation::invert:
      return invert(image);
    case PixelOperation::rotate:
      return rotate(image, signed_by(30.0), sampling);
    case PixelOperation::posterize:
      return posterize(image, 4 - static_cast<int>(level * 4));
    case PixelOperation::solarize:
      return solarize(image, 256 - std::min(256, static_cast<int>(level * 256)));
    case PixelOperation::solarize_add:
      return solarize_add(image, std::min(128, static_cast<int>(level * 110)));
    case PixelOperation::color:
      return adjust_color(image, factor());
    case PixelOperation::contrast:
      return adjust_contrast(image, factor());
    case PixelOperation::brightness:
      return adjust_brightness(image, factor());
    case PixelOperation::sharpness:
      return adjust_sharpness(image, factor());
    case PixelOperation::shear_x:
      return transform_affine(image, {1, signed_by(0.3), 0, 0, 1, 0}, sampling);
    case PixelOperation::shear_y:
      return transform_affine(image, {1, 0, 0, signed_by(0.3), 1, 0}, sampling);
    case PixelOperation::translate_x:
      return transform_affine(image, {1, 0, signed_by(0.45) * image.width, 0, 1, 0}, sampling);
    case PixelOperation::translate_y:
      return transform_affine(image, {1, 0, 0, 0, 1, signed_by(0.45) * image.height}, sampling);
  }
  fail_argument("[apply_pixel_operation] expected one of the ", kNames.size(),
                " operations, got number ", static_cast<int>(operation));
}

void check_rand_augment(const RandAugment& options) {
  check_argument(options.operations >= 0 && options.operations <= 100,
                 "[rand_augment] expected 0 to 100 operations, got ", options.operations);
  check_argument(options.probability >= 0 && options.probability <= 1,
                 "[rand_augment] expected probability in [0, 1], got ", options.probability);
  check_argument(options.magnitude >= 0 && options.magnitude <= kMaxMagnitude,
                 "[rand_augment] expected magnitude in [0, 10], got ", options.magnitude);
  check_argument(std::isfinite(options.magnitude_std) && options.magnitude_std >= 0,
                 "[rand_augment] expected magnitude_std of 0 or more, got ", options.magnitude_std);
}

Image rand_augment(Image image, const RandAugment& options,
                   std::span<const Interpolation> interpolations, std::array<std::uint8_t, 3> fill,
                   Random& random) {
  check_rand_augment(options);
  check_argument(!interpolations.empty(), "[rand_augment] expected an interpolation, got none");
  for (int i = 0; i < options.operations; ++i) {
    const PixelOperation operation = kOperations[random.below(kOperations.size())];
    if (!random.chance(options.probability)) continue;
    const double drawn = options.magnitude + options.magnitude_std * random.normal();
    const double magnitude = std::clamp(drawn, 0.0, kMaxMagnitude);
    const bool negative = random.chance(0.5);
    const auto count = static_cast<std::uint32_t>(interpolations.size());
    const Interpolation interpolation = interpolations[random.below(count)];
    image = apply_pixel_operation(image, operation, magnitude, negative, {interpolation, fill});
  }
  return image;
}

}  // namespace tokensieve
