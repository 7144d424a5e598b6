#include "tokensieve/data/pixel_ops.h"

#include <catch2/catch.hpp>
#include <limits>
#include <map>

#include "image_fixtures.h"
#include "tokensieve/data/rand_augment.h"

using namespace tokensieve;

namespace {

std::filesystem::path augmentation_path(std::string_view name) {
  return std::filesystem::path(TOKENSIEVE_TEST_DATA) / "augmentation" / name;
}

Image fixture(const std::string& name) {
  return read_image(name == "photo.png" ? augmentation_path(name) : image_path(name));
}

/// Lines of augmentation/expected.txt; see make_augmentation_fixtures.py.
std::vector<std::vector<std::string>> expected(std::string_view kind) {
  return expected_images(kind, augmentation_path("expected.txt"));
}

PixelOperation operation_named(std::string_view name) {
  for (const PixelOperation operation : pixel_operations()) {
    if (pixel_operation_name(operation) == name) return operation;
  }
  throw std::invalid_argument(std::string(name));
}

Image image_of(int width, int height, std::uint8_t value) {
  return {width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height, value)};
}

}  // namespace

TEST_CASE("every operation of RandAugment equals timm's on PIL to the last bit",
          "[data][pixel_ops]") {
  std::map<std::string, int> seen;
  for (const auto& line : expected("operation")) {
    const Sampling sampling{parse_interpolation(line.at(4)), {124, 116, 104}};
    const Image out = apply_pixel_operation(fixture(line.at(0)), operation_named(line.at(1)),
                                            std::stod(line.at(2)), line.at(3) == "1", sampling);
    CAPTURE(line);
    CHECK(hash_of(out) == line.at(5));
    ++seen[line.at(1)];
  }
  CHECK(seen.size() == pixel_operations().size());
}

TEST_CASE("brightness, contrast, colour and sharpness equal PIL's at any factor",
          "[data][pixel_ops]") {
  const std::map<std::string, Image (*)(Image, double)> adjustments = {
      {"Brightness", adjust_brightness},
      {"Contrast", adjust_contrast},
      {"Color", adjust_color},
      {"Sharpness", adjust_sharpness}};
  for (const auto& line : expected("adjust")) {
    CAPTURE(line);
    const auto adjust = adjustments.at(line.at(1));
    CHECK(hash_of(adjust(fixture(line.at(0)), std::stod(line.at(2)))) == line.at(3));
  }
}

TEST_CASE("a mirror image equals PIL's, and mirrored twice is the image", "[data][pixel_ops]") {
  for (const auto& line : expected("flip")) {
    const Image image = fixture(line.at(0));
    CHECK(hash_of(flip_horizontally(image)) == line.at(1));
    CHECK(flip_horizontally(flip_horizontally(image)) == image);
  }
}

TEST_CASE("a picture of one colour has no contrast to stretch", "[data][pixel_ops]") {
  const Image grey = image_of(5, 4, 77);
  CHECK(autocontrast(grey) == grey);
  CHECK(equalize(grey) == grey);
}

TEST_CASE("posterizing keeps the highest bits, none of them at the strongest",
          "[data][pixel_ops]") {
  const Image image = image_of(2, 2, 0b10110111);
  CHECK(posterize(image, 8) == image);
  CHECK(posterize(image, 3) == image_of(2, 2, 0b10100000));
  CHECK(posterize(image, 0) == image_of(2, 2, 0));
  CHECK(apply_pixel_operation(image, PixelOperation::posterize, 10, false, {}) ==
        image_of(2, 2, 0));
}

TEST_CASE("a picture of a pixel or a row goes through every operation", "[data][pixel_ops]") {
  for (const auto& [width, height] : {std::pair(1, 1), std::pair(1, 9), std::pair(9, 1)}) {
    for (const PixelOperation operation : pixel_operations()) {
      const Image out =
          apply_pixel_operation(image_of(width, height, 200), operation, 9.5, true, {});
      CHECK(out.pixels.size() == std::size_t{3} * width * height);
    }
  }
}

TEST_CASE("operations refuse what they cannot use", "[data][pixel_ops]") {
  const Image image = image_of(3, 3, 9);
  const Image broken{3, 3, std::vector<std::uint8_t>(26)};
  for (const PixelOperation operation : pixel_operations()) {
    CHECK_THROWS_AS(apply_pixel_operation(broken, operation, 5, false, {}), std::invalid_argument);
    CHECK_THROWS_AS(apply_pixel_operation({}, operation, 5, false, {}), std::invalid_argument);
    CHECK_THROWS_AS(apply_pixel_operation(image, operation, -0.1, false, {}),
                    std::invalid_argument);
    CHECK_THROWS_AS(apply_pixel_operation(image, operation, 10.1, false, {}),
                    std::invalid_argument);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(apply_pixel_operation(image, PixelOperation::rotate, nan, false, {}),
                  std::invalid_argument);
  CHECK_THROWS_AS(apply_pixel_operation(image, static_cast<PixelOperation>(15), 5, false, {}),
                  std::invalid_argument);
  CHECK_THROWS_AS(flip_horizontally(broken), std::invalid_argument);
  CHECK_THROWS_AS(posterize(image, 9), std::invalid_argument);
  CHECK_THROWS_AS(posterize(image, -1), std::invalid_argument);
  CHECK_THROWS_AS(solarize_add(image, 256), std::invalid_argument);
  CHECK_THROWS_AS(adjust_brightness(image, -0.1), std::invalid_argument);
  CHECK_THROWS_AS(adjust_contrast(image, nan), std::invalid_argument);
  CHECK_THROWS_AS(adjust_color(image, -1), std::invalid_argument);
  CHECK_THROWS_AS(adjust_sharpness(broken, 1), std::invalid_argument);
  CHECK_THROWS_AS(rotate(image, nan, {}), std::invalid_argument);
  CHECK_THROWS_AS(transform_affine(image, {1, nan, 0, 0, 1, 0}, {}), std::invalid_argument);
  CHECK_THROWS_AS(transform_affine(image, {1, 0, 0, 0, 1, 0}, {Interpolation::lanczos}),
                  std::invalid_argument);
}

TEST_CASE("a shift by whole pixels moves them and fills the rest", "[data][pixel_ops]") {
  const Image image = fixture("photo.png");
  const Sampling sampling{Interpolation::bicubic, {1, 2, 3}};
  const Image moved = transform_affine(image, {1, 0, 10, 0, 1, -5}, sampling);
  const auto pixel = [&](const Image& of, int x, int y) { return &of.pixels[3 * (y * 96 + x)]; };
  CHECK(std::equal(pixel(moved, 0, 5), pixel(moved, 86, 5), pixel(image, 10, 0)));
  CHECK(std::equal(pixel(moved, 0, 71), pixel(moved, 86, 71), pixel(image, 10, 66)));
  CHECK(*pixel(moved, 86, 40) == 1);
  CHECK(*(pixel(moved, 0, 4) + 2) == 3);
  CHECK(rotate(image, 360, sampling) == image);
}
