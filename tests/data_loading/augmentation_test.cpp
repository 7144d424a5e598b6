#include "tokensieve/data/augmentation.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "image_fixtures.h"
#include "tokensieve/data/pixel_ops.h"

using namespace tokensieve;

namespace {

const Preprocessing kSmall{.height = 32, .width = 40};

Image photo() {
  return read_image(std::filesystem::path(TOKENSIEVE_TEST_DATA) / "augmentation" / "photo.png");
}

/// A recipe that leaves the picture as it is.
Augmentation nothing() {
  Augmentation a;
  a.crop_area = {1.0, 1.0};
  a.crop_aspect = {1e-3, 1e3};  // drawn aspects never fit, so that the whole picture is taken
  a.flip = 0;
  a.rand_augment = std::nullopt;
  a.color_jitter = 0;
  a.erase = 0;
  return a;
}

std::vector<float> augmented(const Image& image, const Augmentation& augmentation,
                             std::uint64_t seed, const Preprocessing& preprocessing = kSmall) {
  std::vector<float> chw(std::size_t{3} * preprocessing.height * preprocessing.width);
  augment(image, augmentation, preprocessing, seed, chw);
  return chw;
}

/// The smallest box around the values of a channel that differ from `background`.
Box box_of_others(std::span<const float> plane, int width, float background) {
  int left = width, right = -1, top = -1, bottom = -1;
  for (std::size_t i = 0; i < plane.size(); ++i) {
    if (plane[i] == background) continue;
    const int x = static_cast<int>(i) % width;
    const int y = static_cast<int>(i) / width;
    left = std::min(left, x);
    right = std::max(right, x);
    if (top < 0) top = y;
    bottom = y;
  }
  return {left, top, right - left + 1, bottom - top + 1};
}

}  // namespace

TEST_CASE("with everything off a picture is resized and normalised", "[data][augmentation]") {
  const Image image = photo();
  std::vector<float> expected(std::size_t{3} * 32 * 40);
  normalize(resize(image, 40, 32, Interpolation::bicubic), kSmall, expected);
  CHECK(augmented(image, nothing(), 1) == expected);
}

TEST_CASE("an augmented picture is a function of the seed", "[data][augmentation]") {
  const Image image = photo();
  CHECK(augmented(image, {}, 5) == augmented(image, {}, 5));
  CHECK(augmented(image, {}, 5) != augmented(image, {}, 6));
}

TEST_CASE("the random crop stays inside and keeps its area and aspect", "[data][augmentation]") {
  const Augmentation augmentation;
  Random random(1);
  double area = 0.0;
  const int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const Box box = random_crop_box(300, 200, augmentation, random);
    REQUIRE((box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1));
    REQUIRE((box.left + box.width <= 300 && box.top + box.height <= 200));
    const double share = box.width * box.height / 60'000.0;
    area += share / count;
    CHECK((share > 0.078 && share <= 1.0));
    const double aspect = static_cast<double>(box.width) / box.height;
    CHECK((aspect > 0.74 && aspect < 1.35));
  }
  // 200,000 calls of timm's get_params gave 0.3902: large crops that do not fit are drawn again.
  CHECK(area == Approx(0.3902).margin(0.006));
}

TEST_CASE("a crop that never fits is the largest middle part", "[data][augmentation]") {
  Augmentation augmentation;
  augmentation.crop_area = {1.0, 1.0};
  Random random(1);
  const Box wide = random_crop_box(400, 100, augmentation, random);
  CHECK((wide.width == 133 && wide.height == 100 && wide.left == 133 && wide.top == 0));
  const Box tall = random_crop_box(100, 401, augmentation, random);
  CHECK((tall.width == 100 && tall.height == 133 && tall.left == 0 && tall.top == 134));
  const Box line = random_crop_box(1, 1000, augmentation, random);
  CHECK((line.width == 1 && line.height == 1));
}

TEST_CASE("half of the pictures are mirrored", "[data][augmentation]") {
  const Image image = photo();
  Augmentation augmentation = nothing();
  const Image straight = augment_pixels(image, augmentation, kSmall, 0);
  augmentation.flip = 1;
  CHECK(augment_pixels(image, augmentation, kSmall, 0) == flip_horizontally(straight));
  augmentation.flip = 0.5;
  int mirrored = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    mirrored += augment_pixels(image, augmentation, kSmall, seed) != straight;
  }
  CHECK(std::abs(mirrored - 200) < 40);
}

TEST_CASE("the crop is known without the picture", "[data][augmentation]") {
  const Image image = photo();
  Augmentation a = nothing();
  a.crop_area = {0.1, 1.0};
  a.crop_aspect = {0.75, 1.33};
  a.flip = 0.5;
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Crop found = draw_crop(image.width, image.height, a, seed);
    CHECK(found.picture_width == image.width);
    CHECK(found.picture_height == image.height);
    Image expected =
        resize(crop(image, found.box), kSmall.width, kSmall.height, Interpolation::bicubic);
    if (found.flipped) expected = flip_horizontally(std::move(expected));
    CHECK(augment_pixels(image, a, kSmall, seed).pixels == expected.pixels);
    flipped += found.flipped;
  }
  CHECK(flipped > 0);
  CHECK(flipped < 20);
  CHECK_THROWS_AS(draw_crop(0, 4, a, 0), std::invalid_argument);
}

TEST_CASE("turning a step off leaves the others' numbers alone", "[data][augmentation]") {
  const Image image = photo();
  Augmentation augmentation;
  augmentation.erase = 0;
  const Image with = augment_pixels(image, augmentation, kSmall, 9);
  Augmentation never = augmentation;
  never.rand_augment->probability = 0;
  Augmentation off = augmentation;
  off.rand_augment = std::nullopt;
  off.color_jitter = 0;
  CHECK(augment_pixels(image, never, kSmall, 9) == augment_pixels(image, off, kSmall, 9));
  augmentation.erase = 1;
  CHECK(augment_pixels(image, augmentation, kSmall, 9) == with);
}

TEST_CASE("RandAugment does a quarter of the time nothing", "[data][augmentation]") {
  const Image image = resize(photo(), 24, 18, Interpolation::bilinear);
  const std::vector<Interpolation> filters = {Interpolation::bilinear, Interpolation::bicubic};
  int same = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    same += rand_augment(image, {}, filters, {124, 116, 104}, random) == image;
  }
  CHECK(same / 2000.0 == Approx(0.25).margin(0.04));
}

TEST_CASE("colour jitter is for recipes without RandAugment", "[data][augmentation]") {
  const Image image = photo();
  Augmentation augmentation = nothing();
  const Image plain = augment_pixels(image, augmentation, kSmall, 3);
  augmentation.color_jitter = 0.4;
  CHECK(augment_pixels(image, augmentation, kSmall, 3) != plain);
  augmentation.rand_augment = RandAugment{.operations = 0};
  CHECK(augment_pixels(image, augmentation, kSmall, 3) == plain);
}

TEST_CASE("erasing replaces one rectangle of all channels by normal noise",
          "[data][augmentation]") {
  const Image grey{40, 32, std::vector<std::uint8_t>(std::size_t{3} * 40 * 32, 100)};
  Augmentation augmentation = nothing();
  const std::vector<float> plain = augmented(grey, augmentation, 0);
  augmentation.erase = 1;
  double sum = 0.0, squares = 0.0, share = 0.0;
  int noisy = 0;
  const int count = 300;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const std::vector<float> chw = augmented(grey, augmentation, seed);
    const std::size_t plane = chw.size() / 3;
    const Box box = box_of_others(std::span(chw).first(plane), 40, plain[0]);
    REQUIRE((box.width >= 1 && box.width < 40 && box.height >= 1 && box.height < 32));
    int changed = 0;
    for (std::size_t i = 0; i < chw.size(); ++i) {
      if (chw[i] == plain[i]) continue;
      ++changed;
      sum += chw[i];
      squares += double{chw[i]} * chw[i];
    }
    noisy += changed;
    CHECK(changed == 3 * box.width * box.height);
    share += box.width * box.height / 1280.0 / count;
  }
  CHECK(sum / noisy == Approx(0.0).margin(0.01));
  CHECK(squares / noisy == Approx(1.0).margin(0.02));
  CHECK(share == Approx(0.5 * (0.02 + 1.0 / 3)).margin(0.02));

  augmentation.erase = 0.25;
  int erased = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    erased += augmented(grey, augmentation, seed) != plain;
  }
  CHECK(std::abs(erased - 250) < 45);
}

TEST_CASE("augmentation refuses options that make no sense", "[data][augmentation]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](auto change) {
    Augmentation augmentation;
    change(augmentation);
    CHECK_THROWS_AS(check_augmentation(augmentation), std::invalid_argument);
    CHECK_THROWS_AS(augment_pixels(photo(), augmentation, kSmall, 0), std::invalid_argument);
  };
  refused([](Augmentation& a) { a.crop_area = {0.0, 1.0}; });
  refused([](Augmentation& a) { a.crop_area = {0.5, 0.4}; });
  refused([](Augmentation& a) { a.crop_area = {0.5, 1.1}; });
  refused([&](Augmentation& a) { a.crop_aspect = {nan, 1.0}; });
  refused([](Augmentation& a) { a.crop_aspect = {-1.0, 1.0}; });
  refused([](Augmentation& a) { a.flip = 1.5; });
  refused([](Augmentation& a) { a.color_jitter = -0.1; });
  refused([&](Augmentation& a) { a.erase = nan; });
  refused([](Augmentation& a) { a.erase_area = {0.1, 2.0}; });
  refused([](Augmentation& a) { a.erase_aspect = {0.0, 1.0}; });
  refused([](Augmentation& a) { a.interpolations.clear(); });
  refused([](Augmentation& a) { a.interpolations = {Interpolation::lanczos}; });
  refused([](Augmentation& a) { a.rand_augment->operations = -1; });
  refused([](Augmentation& a) { a.rand_augment->probability = 2; });
  refused([](Augmentation& a) { a.rand_augment->magnitude = 11; });
  refused([&](Augmentation& a) { a.rand_augment->magnitude_std = nan; });

  Random random(1);
  CHECK_THROWS_AS(random_crop_box(0, 5, {}, random), std::invalid_argument);
  CHECK_THROWS_AS(rand_augment(photo(), {}, {}, {}, random), std::invalid_argument);
  CHECK_THROWS_AS(augment_pixels({}, {}, kSmall, 0), std::invalid_argument);
  std::vector<float> short_by_one(std::size_t{3} * 32 * 40 - 1);
  CHECK_THROWS_AS(augment(photo(), {}, kSmall, 0, short_by_one), std::invalid_argument);
}
