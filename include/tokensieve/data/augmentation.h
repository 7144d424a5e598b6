#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tokensieve/data/rand_augment.h"
#include "tokensieve/data/random.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/preprocess.h"

namespace tokensieve {

/// How a training picture is changed before the network sees it. The defaults are DeiT's recipe,
/// which DynamicViT keeps; mixing pictures with each other comes after (mixing.h).
struct Augmentation {
  /// The random crop's share of the picture's area, from and to.
  std::array<double, 2> crop_area = {0.08, 1.0};
  /// Its width over height, drawn evenly on a logarithmic scale.
  std::array<double, 2> crop_aspect = {3.0 / 4.0, 4.0 / 3.0};
  /// Probability of a mirror image.
  double flip = 0.5;
  /// None turns it off.
  std::optional<RandAugment> rand_augment = RandAugment{};
  /// Without RandAugment, brightness, contrast and saturation change by up to this, in random
  /// order. 0 turns it off; with RandAugment it has no effect, as in timm.
  double color_jitter = 0.4;
  /// Probability that a rectangle is replaced by normal noise (Zhong et al., 2020; timm's mode
  /// "pixel").
  double erase = 0.25;
  /// The rectangle's share of the picture's area, from and to.
  std::array<double, 2> erase_area = {0.02, 1.0 / 3.0};
  /// Its height over width, drawn evenly on a logarithmic scale.
  std::array<double, 2> erase_aspect = {0.3, 1.0 / 0.3};
  /// bilinear, bicubic or both; one is drawn for the crop and for each operation that moves pixels.
  /// Both is timm's "random".
  std::vector<Interpolation> interpolations = {Interpolation::bicubic};
};

/// Throws invalid_argument, naming the field: probabilities are in [0, 1], areas in (0, 1], aspects
/// positive and finite, every range from the smaller to the larger, color_jitter in [0, 1], there
/// is an interpolation and none is lanczos, and check_rand_augment holds.
void check_augmentation(const Augmentation& augmentation);

/// The part of a [height, width] picture that torchvision's RandomResizedCrop cuts out: ten tries
/// to place the drawn area and aspect, then the largest middle part with an aspect in range.
Box random_crop_box(int width, int height, const Augmentation& augmentation, Random& random);

/// Which part of a picture a training picture shows.
struct Crop {
  Box box;  ///< Pixels of the picture.
  int picture_width = 0;
  int picture_height = 0;
  bool flipped = false;  ///< Mirrored after it was cut out.
};

/// The crop that augment_pixels() and augment() take of a [height, width] picture with this seed,
/// for what must follow it: labels that have a place. Throws invalid_argument as random_crop_box.
Crop draw_crop(int width, int height, const Augmentation& augmentation, std::uint64_t seed);

/// The augmented picture before it is normalised, [height, width] of the preprocessing: random
/// resized crop, flip, then RandAugment or colour jitter. Every random number is a function of
/// `seed`. Throws invalid_argument if the image is empty or a check of the options fails.
Image augment_pixels(const Image& image, const Augmentation& augmentation,
                     const Preprocessing& preprocessing, std::uint64_t seed);

/// augment_pixels, normalised, then erased: writes the network's input [3, height, width] to `chw`.
/// A function of its arguments and nothing else. Only size, mean and std of the preprocessing
/// count. Throws as augment_pixels does, or invalid_argument if `chw` is not as long.
void augment(const Image& image, const Augmentation& augmentation,
             const Preprocessing& preprocessing, std::uint64_t seed, std::span<float> chw);

}  // namespace tokensieve
