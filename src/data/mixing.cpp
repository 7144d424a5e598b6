#include "tokensieve/data/mixing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

void check_alpha(double value, std::string_view field) {
  check_argument(std::isfinite(value) && value >= 0, "[mixing] expected ", field,
                 " of 0 or more, got ", value);
}

void check_probability(double value, std::string_view field) {
  check_argument(value >= 0 && value <= 1, "[mixing] expected ", field, " in [0, 1], got ", value);
}

/// a and b become their mixtures with each other.
void mix_pair(std::span<float> a, std::span<float> b, float own, float other) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float x = a[i];
    const float y = b[i];
    a[i] = x * own + y * other;
    b[i] = y * own + x * other;
  }
}

/// The rectangle's pixels of two pictures [3, height, width] change places.
void swap_box(std::span<float> a, std::span<float> b, int width, int height, const Box& box) {
  for (int channel = 0; channel < 3; ++channel) {
    for (int y = box.top; y < box.top + box.height; ++y) {
      const std::ptrdiff_t from = (std::ptrdiff_t{channel} * height + y) * width + box.left;
      std::swap_ranges(a.begin() + from, a.begin() + from + box.width, b.begin() + from);
    }
  }
}

/// Where a side's piece of `cut` around `middle` begins and how long it is within 0 to `side`.
std::pair<int, int> clipped(int middle, int cut, int side) {
  const int begin = std::max(middle - cut / 2, 0);
  const int end = std::min(middle + cut / 2, side);
  return {begin, end - begin};
}

}  // namespace

void check_mixing(const Mixing& mixing) {
  check_alpha(mixing.mixup_alpha, "mixup_alpha");
  check_alpha(mixing.cutmix_alpha, "cutmix_alpha");
  check_probability(mixing.probability, "probability");
  check_probability(mixing.switch_probability, "switch_probability");
  check_argument(mixing.label_smoothing >= 0 && mixing.label_smoothing < 1,
                 "[mixing] expected label_smoothing in [0, 1), got ", mixing.label_smoothing);
}

Box random_cut(int width, int height, double lambda, Random& random) {
  check_argument(lambda >= 0 && lambda <= 1, "[random_cut] expected lambda in [0, 1], got ",
                 lambda);
  check_argument(width >= 1 && height >= 1, "[random_cut] expected sides from 1, got ", width,
                 " x ", height);
  const double ratio = std::sqrt(1.0 - lambda);
  const auto middle_y = static_cast<int>(random.below(static_cast<std::uint32_t>(height)));
  const auto middle_x = static_cast<int>(random.below(static_cast<std::uint32_t>(width)));
  const auto [top, rows] = clipped(middle_y, static_cast<int>(height * ratio), height);
  const auto [left, columns] = clipped(middle_x, static_cast<int>(width * ratio), width);
  return {left, top, columns, rows};
}

Mixture draw_mixture(const Mixing& mixing, int width, int height, std::uint64_t seed) {
  check_mixing(mixing);
  const bool mixup = mixing.mixup_alpha > 0;
  const bool cutmix = mixing.cutmix_alpha > 0;
  Random random(seed);
  if (!random.chance(mixing.probability) || !(mixup || cutmix)) return {};
  const bool cut = cutmix && (!mixup || random.chance(mixing.switch_probability));
  const double alpha = cut ? mixing.cutmix_alpha : mixing.mixup_alpha;
  const double lambda = random.beta(alpha, alpha);
  if (!cut) return {lambda, std::nullopt};
  const Box box = random_cut(width, height, lambda, random);
  const double covered = static_cast<double>(box.width) * box.height;
  return {1.0 - covered / (static_cast<double>(width) * height), box};
}

void mix_pixels(std::span<float> pixels, int width, int height, const Mixture& mixture) {
  check_argument(width >= 1 && height >= 1, "[mix_pixels] expected sides from 1, got ", width,
                 " x ", height);
  const std::size_t size =
      std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  check_argument(pixels.size() % size == 0, "[mix_pixels] expected pictures of ", size,
                 " floats, got ", pixels.size());
  if (mixture.box) {
    const Box& box = *mixture.box;
    check_argument(box.left >= 0 && box.top >= 0 && box.width >= 0 && box.height >= 0 &&
                       box.width <= width - box.left && box.height <= height - box.top,
                   "[mix_pixels] expected a box inside ", width, " x ", height, ", got ", box.width,
                   " x ", box.height, " at (", box.left, ", ", box.top, ")");
  }
  const auto own = static_cast<float>(mixture.lambda);
  const auto other = static_cast<float>(1.0 - mixture.lambda);
  const std::size_t count = pixels.size() / size;
  // The middle picture of an odd batch meets itself, which changes nothing but its last bits.
  for (std::size_t i = 0; i < count / 2; ++i) {
    const std::span<float> a = pixels.subspan(i * size, size);
    const std::span<float> b = pixels.subspan((count - 1 - i) * size, size);
    if (mixture.box) {
      swap_box(a, b, width, height, *mixture.box);
    } else if (mixture.lambda != 1.0) {
      mix_pair(a, b, own, other);
    }
  }
}

std::vector<float> soft_targets(std::span<const std::int64_t> labels, int classes, double smoothing,
                                double lambda) {
  check_argument(smoothing >= 0 && smoothing < 1,
                 "[soft_targets] expected smoothing in [0, 1), got ", smoothing);
  check_argument(lambda >= 0 && lambda <= 1, "[soft_targets] expected lambda in [0, 1], got ",
                 lambda);
  for (const std::int64_t label : labels) {
    check_argument(label >= 0 && label < classes, "[soft_targets] expected labels 0 to ",
                   classes - 1, ", got ", label);
  }
  const double off = smoothing / classes;
  const auto off_value = static_cast<float>(off);
  const auto on_value = static_cast<float>(1.0 - smoothing + off);
  const auto own = static_cast<float>(lambda);
  const auto other = static_cast<float>(1.0 - lambda);
  std::vector<float> targets;
  targets.reserve(labels.size() * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t partner = labels[labels.size() - 1 - i];
    for (int c = 0; c < classes; ++c) {
      const float a = c == labels[i] ? on_value : off_value;
      const float b = c == partner ? on_value : off_value;
      targets.push_back(a * own + b * other);
    }
  }
  return targets;
}

}  // namespace tokensieve
