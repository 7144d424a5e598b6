#include "tokensieve/io/preprocess.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "image_fixtures.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

Image gray(int width, int height) {
  return {width, height,
          std::vector<std::uint8_t>(std::size_t(3) * std::size_t(width * height), 90)};
}

}  // namespace

TEST_CASE("Preprocessing equals timm's evaluation transform to the last bit", "[io][preprocess]") {
  for (const auto& words : expected_images("timm")) {
    Preprocessing p;
    p.height = std::stoi(words[1]);
    p.width = std::stoi(words[2]);
    p.crop_pct = std::stod(words[3]);
    p.crop_mode = parse_crop_mode(words[4]);
    p.interpolation = parse_interpolation(words[5]);
    INFO(words[0] << " " << p.height << " x " << p.width << " " << words[3] << " " << words[4]);
    const Image image = read_image(image_path(words[0]));
    CHECK(hash_of(resize_and_crop(image, p)) == words[6]);
    std::vector<float> chw(std::size_t(3) * std::size_t(p.height * p.width));
    preprocess(image, p, chw);
    CHECK(hash_of(std::as_bytes(std::span(chw))) == words[7]);
  }
}

TEST_CASE("Normalising puts channels in planes", "[io][preprocess]") {
  Preprocessing p;
  p.width = 2;
  p.height = 1;
  p.mean = {0.0F, 0.5F, 1.0F};
  p.std = {1.0F, 0.5F, 2.0F};
  std::vector<float> chw(6);
  normalize({2, 1, {0, 255, 255, 51, 0, 0}}, p, chw);
  CHECK(chw == std::vector<float>{0.0F, 0.2F, 1.0F, -1.0F, 0.0F, -0.5F});
}

TEST_CASE("Normalising checks the image and the room for it", "[io][preprocess]") {
  Preprocessing p;
  p.width = 3;
  p.height = 2;
  std::vector<float> chw(18);
  CHECK_NOTHROW(normalize(gray(3, 2), p, chw));
  CHECK_THROWS_WITH(normalize(gray(2, 3), p, chw), Contains("3 x 2") && Contains("2 x 3"));
  CHECK_THROWS_WITH(normalize(gray(3, 2), p, std::span(chw).first(17)), Contains("17"));
  CHECK_THROWS_AS(normalize(Image{}, p, chw), std::invalid_argument);
  CHECK_THROWS_AS(preprocess(Image{}, p, chw), std::invalid_argument);
}

TEST_CASE("Settings out of range are refused by name", "[io][preprocess]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Preprocessing p;
  SECTION("no size") { p.height = 0; }
  SECTION("a huge size") { p.width = 16385; }
  SECTION("nothing kept") { p.crop_pct = 0; }
  SECTION("more than all kept") { p.crop_pct = 1.01; }
  SECTION("a crop that is not a number") { p.crop_pct = std::nan(""); }
  SECTION("a mean that is not a number") { p.mean[1] = nan; }
  SECTION("a deviation of zero") { p.std[2] = 0; }
  SECTION("a deviation that is not a number") { p.std[0] = nan; }
  CHECK_THROWS_WITH(check_preprocessing(p), Contains("[preprocessing] expected"));
  CHECK_THROWS_AS(resize_and_crop(gray(9, 9), p), std::invalid_argument);
}

TEST_CASE("A picture one pixel high is cropped without being scaled up whole", "[io][preprocess]") {
  const Image seen = resize_and_crop(gray(100'000, 1), Preprocessing{});
  CHECK(seen == gray(224, 224));
}

TEST_CASE("A picture too narrow to scale is refused", "[io][preprocess]") {
  Preprocessing p;
  p.crop_mode = CropMode::border;
  CHECK_THROWS_WITH(resize_and_crop(gray(1000, 1), p), Contains("too narrow"));
  p = Preprocessing{};
  p.crop_pct = 1e-4;
  CHECK_THROWS_WITH(resize_and_crop(gray(100'000, 1), p), Contains("too narrow"));
}

TEST_CASE("Crop modes go by timm's names", "[io][preprocess]") {
  for (const CropMode mode : {CropMode::center, CropMode::squash, CropMode::border}) {
    CHECK(parse_crop_mode(crop_mode_name(mode)) == mode);
  }
  CHECK_THROWS_WITH(parse_crop_mode("middle"), Contains("center") && Contains("'middle'"));
}

TEST_CASE("the mean colour is 255 * mean, halves to even, cut to 8 bits", "[io][preprocess]") {
  CHECK(mean_color({}) == std::array<std::uint8_t, 3>{124, 116, 104});
  Preprocessing preprocessing;
  preprocessing.mean = {0.5F, -1.0F, 2.0F};
  CHECK(mean_color(preprocessing) == std::array<std::uint8_t, 3>{128, 0, 255});
}
