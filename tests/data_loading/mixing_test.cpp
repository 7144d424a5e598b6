#include "tokensieve/data/mixing.h"

#include <catch2/catch.hpp>
#include <limits>
#include <numeric>

using namespace tokensieve;

namespace {

std::vector<float> counted(std::size_t size) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

/// What mix_pixels should do, one pixel at a time.
std::vector<float> mixed_plainly(const std::vector<float>& pixels, int width, int height,
                                 const Mixture& mixture) {
  const std::size_t size = std::size_t{3} * width * height;
  const std::size_t count = pixels.size() / size;
  std::vector<float> out = pixels;
  for (std::size_t n = 0; n < count; ++n) {
    for (std::size_t i = 0; i < size; ++i) {
      const int x = static_cast<int>(i) % width;
      const int y = static_cast<int>(i) / width % height;
      const float other = pixels[(count - 1 - n) * size + i];
      float& value = out[n * size + i];
      if (mixture.box) {
        const Box& box = *mixture.box;
        const bool inside =
            x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
        if (inside) value = other;
      } else {
        value = value * static_cast<float>(mixture.lambda) +
                other * static_cast<float>(1 - mixture.lambda);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("mixup blends each picture with its partner from the other end", "[data][mixing]") {
  const auto pixels = counted(4 * 3 * 5 * 6);
  auto mixed = pixels;
  const Mixture mixture{0.37, std::nullopt};
  mix_pixels(mixed, 6, 5, mixture);
  CHECK(mixed == mixed_plainly(pixels, 6, 5, mixture));
}

TEST_CASE("CutMix takes the box from the partner and nothing else", "[data][mixing]") {
  const auto pixels = counted(3 * 3 * 5 * 6);  // an odd batch: the middle keeps its own
  auto mixed = pixels;
  const Mixture mixture{0.6, Box{2, 1, 4, 3}};
  mix_pixels(mixed, 6, 5, mixture);
  CHECK(mixed == mixed_plainly(pixels, 6, 5, mixture));
}

TEST_CASE("a lambda of 1 changes no pixel", "[data][mixing]") {
  const auto pixels = counted(2 * 3 * 4 * 4);
  auto mixed = pixels;
  mix_pixels(mixed, 4, 4, {});
  CHECK(mixed == pixels);
}

TEST_CASE("targets are smoothed, mixed with the reverse and sum to 1", "[data][mixing]") {
  const std::vector<std::int64_t> labels = {0, 2, 2};
  // timm: mixup_target(torch.tensor([0, 2, 2]), 4, 0.3, 0.1)
  const float off = 0.025F, on = 0.925F;
  const auto targets = soft_targets(labels, 4, 0.1, 0.3);
  REQUIRE(targets.size() == 12);
  CHECK(targets[0] == on * 0.3F + off * 0.7F);
  CHECK(targets[1] == Approx(off));
  CHECK(targets[2] == off * 0.3F + on * 0.7F);
  CHECK(targets[6] == Approx(on));
  CHECK(targets[8] == on * 0.7F + off * 0.3F);
  for (int row = 0; row < 3; ++row) {
    CHECK(std::accumulate(&targets[4 * row], &targets[4 * row] + 4, 0.0F) == Approx(1.0F));
  }
  CHECK(soft_targets(std::vector<std::int64_t>{1, 0}, 2, 0.0) == std::vector<float>{0, 1, 1, 0});
}

TEST_CASE("lambda is the share that the clipped box leaves", "[data][mixing]") {
  const Mixing mixing{.mixup_alpha = 0};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Mixture mixture = draw_mixture(mixing, 20, 14, seed);
    REQUIRE(mixture.box);
    const Box& box = *mixture.box;
    CHECK((box.left >= 0 && box.top >= 0));
    CHECK((box.left + box.width <= 20 && box.top + box.height <= 14));
    CHECK(mixture.lambda == 1.0 - box.width * box.height / 280.0);
  }
}

TEST_CASE("an unclipped box covers 1 - lambda of the picture", "[data][mixing]") {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const Box box = random_cut(100, 100, 0.75, random);
    CHECK((box.width <= 50 && box.height <= 50));
    if (box.left > 0 && box.left + box.width < 100) CHECK(box.width == 50);
    if (box.top > 0 && box.top + box.height < 100) CHECK(box.height == 50);
  }
  CHECK(random_cut(8, 8, 1.0, random).width == 0);
  const Box all = random_cut(1, 1, 0.0, random);
  CHECK(all.width * all.height ==
        0);  // half of an odd cut is rounded down on both sides, as timm does it
}

TEST_CASE("the options decide how often which mixture is drawn", "[data][mixing]") {
  const auto shares = [](const Mixing& mixing) {
    int mixed = 0, cut = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      const Mixture mixture = draw_mixture(mixing, 100, 100, seed);
      cut += mixture.box.has_value();
      mixed += mixture.box || mixture.lambda != 1.0;
    }
    return std::pair(mixed / 2000.0, cut / 2000.0);
  };
  CHECK(shares({}).first == 1.0);
  CHECK(shares({}).second == Approx(0.5).margin(0.04));
  CHECK(shares({.probability = 0}) == std::pair(0.0, 0.0));
  CHECK(shares({.cutmix_alpha = 0}) == std::pair(1.0, 0.0));
  CHECK(shares({.mixup_alpha = 0}) == std::pair(1.0, 1.0));
  CHECK(shares({.mixup_alpha = 0, .cutmix_alpha = 0}) == std::pair(0.0, 0.0));
  CHECK(shares({.probability = 0.5, .switch_probability = 1}).second == Approx(0.5).margin(0.04));
}

TEST_CASE("a mixture is a function of the seed", "[data][mixing]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(draw_mixture({}, 32, 32, seed).lambda == draw_mixture({}, 32, 32, seed).lambda);
  }
  CHECK(draw_mixture({}, 32, 32, 1).lambda != draw_mixture({}, 32, 32, 2).lambda);
}

TEST_CASE("mixing refuses options and sizes that make no sense", "[data][mixing]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(check_mixing({.mixup_alpha = -1}), std::invalid_argument);
  CHECK_THROWS_AS(check_mixing({.mixup_alpha = nan}), std::invalid_argument);
  CHECK_THROWS_AS(check_mixing({.cutmix_alpha = -1}), std::invalid_argument);
  CHECK_THROWS_AS(check_mixing({.probability = 1.1}), std::invalid_argument);
  CHECK_THROWS_AS(check_mixing({.switch_probability = nan}), std::invalid_argument);
  CHECK_THROWS_AS(check_mixing({.label_smoothing = 1}), std::invalid_argument);
  CHECK_THROWS_AS(draw_mixture({.probability = 2}, 8, 8, 0), std::invalid_argument);

  Random random(1);
  CHECK_THROWS_AS(random_cut(8, 8, -0.1, random), std::invalid_argument);
  CHECK_THROWS_AS(random_cut(8, 8, nan, random), std::invalid_argument);
  CHECK_THROWS_AS(random_cut(0, 8, 0.5, random), std::invalid_argument);

  auto pixels = counted(2 * 3 * 4 * 4);
  CHECK_THROWS_AS(mix_pixels(pixels, 5, 4, {}), std::invalid_argument);
  CHECK_THROWS_AS(mix_pixels(pixels, 0, 4, {}), std::invalid_argument);
  CHECK_THROWS_AS(mix_pixels(pixels, 4, 4, {0.5, Box{1, 1, 4, 1}}), std::invalid_argument);
  CHECK_THROWS_AS(mix_pixels(pixels, 4, 4, {0.5, Box{-1, 1, 2, 1}}), std::invalid_argument);

  const std::vector<std::int64_t> labels = {0, 3};
  CHECK_THROWS_AS(soft_targets(labels, 3, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(soft_targets(std::vector<std::int64_t>{-1}, 3, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(soft_targets(labels, 4, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(soft_targets(labels, 4, 0.1, 1.5), std::invalid_argument);
}
