#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tokensieve/data/random.h"
#include "tokensieve/io/resize.h"

namespace tokensieve {

/// How the pictures of a batch are mixed, and what the network is asked to answer. The defaults are
/// DeiT's recipe; timm's Mixup in its mode "batch".
struct Mixing {
  /// Beta(alpha, alpha) of mixup's lambda (Zhang et al., 2018); 0 turns mixup off.
  double mixup_alpha = 0.8;
  /// Beta(alpha, alpha) of CutMix's lambda (Yun et al., 2019); 0 turns CutMix off.
  double cutmix_alpha = 1.0;
  /// Probability that a batch is mixed at all.
  double probability = 1.0;
  /// Probability of CutMix where both are on.
  double switch_probability = 0.5;
  /// The share of the target spread evenly over all classes.
  double label_smoothing = 0.1;
};

/// Throws invalid_argument, naming the field, unless the alphas are finite and not negative, the
/// probabilities in [0, 1] and label_smoothing in [0, 1).
void check_mixing(const Mixing& mixing);

/// One batch's mixture with its own reverse, so that picture i meets picture n - 1 - i.
struct Mixture {
  /// The share of the picture itself, in the pixels and in the target; 1 mixes nothing.
  double lambda = 1.0;
  /// CutMix: the pixels taken from the other picture. None: mixup, lambda x + (1 - lambda) x'.
  std::optional<Box> box;
};

/// CutMix's rectangle in a [height, width] grid of pixels or tokens: sides sqrt(1 - lambda) of the
/// grid's, the middle anywhere, cut off at the border. It may be empty. Throws invalid_argument
/// unless lambda is in [0, 1] and the sides are at least 1.
Box random_cut(int width, int height, double lambda, Random& random);

/// Draws the mixture of a batch of [height, width] pictures, a function of its arguments. With
/// CutMix, lambda is what the rectangle left of the picture. Throws invalid_argument as
/// check_mixing and random_cut do.
Mixture draw_mixture(const Mixing& mixing, int width, int height, std::uint64_t seed);

/// Mixes `pixels` [n, 3, height, width] with their reverse, in place; in float32, as timm rounds.
/// Throws invalid_argument if the sizes do not fit each other or the box reaches outside.
void mix_pixels(std::span<float> pixels, int width, int height, const Mixture& mixture);

/// Targets [n, classes]: the label's class has 1 - smoothing + smoothing / classes and every other
/// smoothing / classes, mixed with the reverse by `lambda`. Throws invalid_argument if a label is
/// not 0 to classes - 1, smoothing is not in [0, 1) or lambda not in [0, 1].
std::vector<float> soft_targets(std::span<const std::int64_t> labels, int classes, double smoothing,
                                double lambda = 1.0);

}  // namespace tokensieve
