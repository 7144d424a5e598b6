#include "tokensieve/io/resize.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "image_fixtures.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

Image waves(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < 3 * width * height; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(i * i / 7 + i));
  }
  return image;
}

const std::array<Interpolation, 3> kFilters = {Interpolation::bilinear, Interpolation::bicubic,
                                               Interpolation::lanczos};

}  // namespace

TEST_CASE("Resizing equals PIL's to the last bit", "[io][resize]") {
  for (const auto& words : expected_images("resize")) {
    INFO(words[1] << " x " << words[2] << " " << words[3]);
    const Image resized = resize(read_image(image_path(words[0])), std::stoi(words[1]),
                                 std::stoi(words[2]), parse_interpolation(words[3]));
    CHECK(hash_of(resized) == words[4]);
  }
}

TEST_CASE("A window of a resized image is a crop of all of it", "[io][resize]") {
  const Image image = waves(61, 83);
  const auto [width, height] = GENERATE(std::pair{40, 37}, std::pair{150, 60}, std::pair{61, 20},
                                        std::pair{17, 83}, std::pair{61, 83}, std::pair{60, 20});
  for (const Interpolation filter : kFilters) {
    const Image whole = resize(image, width, height, filter);
    for (const Box& box : {Box{0, 0, width, height}, Box{width - 1, height - 1, 1, 1},
                           Box{3, 2, width / 2, height / 3}}) {
      CHECK(resize(image, width, height, filter, box) == crop(whole, box));
    }
  }
}

TEST_CASE("An image of one colour keeps it at any size", "[io][resize]") {
  const Image gray{31, 22, std::vector<std::uint8_t>(3 * 31 * 22, 201)};
  for (const Interpolation filter : kFilters) {
    for (const auto& [width, height] : {std::pair{1, 1}, {7, 90}, {300, 2}}) {
      const Image resized = resize(gray, width, height, filter);
      CHECK(resized.pixels ==
            std::vector<std::uint8_t>(std::size_t(3) * std::size_t(width * height), 201));
    }
  }
}

TEST_CASE("Extreme scales work: one pixel to many, a long strip to one", "[io][resize]") {
  const Image dot{1, 1, {9, 8, 7}};
  CHECK(resize(dot, 2'000'000'000, 2'000'000'000, Interpolation::bicubic, {1'999'999'990, 5, 2, 3})
            .pixels[5] == 7);
  const Image strip{500'000, 1, std::vector<std::uint8_t>(1'500'000, 77)};
  CHECK(resize(strip, 1, 3, Interpolation::lanczos).pixels == std::vector<std::uint8_t>(9, 77));
}

TEST_CASE("Resizing refuses what has no pixels or too many", "[io][resize]") {
  const Image image = waves(8, 6);
  const auto filter = Interpolation::bicubic;
  CHECK_THROWS_AS(resize(Image{}, 4, 4, filter), std::invalid_argument);
  CHECK_THROWS_WITH(resize(image, 0, 4, filter), Contains("0 x 4"));
  CHECK_THROWS_WITH(resize(image, 4, -1, filter), Contains("4 x -1"));
  CHECK_THROWS_WITH(resize(image, 100'000, 100'000, filter), Contains("pixels"));
  CHECK_THROWS_WITH(resize(image, 4, 4, filter, {1, 0, 4, 4}), Contains("box inside 4 x 4"));
  CHECK_THROWS_WITH(resize(image, 4, 4, filter, {0, -1, 2, 2}), Contains("box inside"));
  CHECK_THROWS_WITH(resize(image, 4, 4, filter, {0, 0, 2, 0}), Contains("box inside"));
}

TEST_CASE("A crop is the pixels of its box", "[io][resize]") {
  const Image image = waves(8, 6);
  const Image part = crop(image, {2, 1, 3, 4});
  for (int y = 0; y < 4; ++y) {
    for (int i = 0; i < 9; ++i) {
      CHECK(part.pixels[std::size_t(9 * y + i)] == image.pixels[std::size_t(24 * (y + 1) + 6 + i)]);
    }
  }
  CHECK(crop(image, {0, 0, 8, 6}) == image);
  CHECK_THROWS_AS(crop(image, {6, 0, 3, 1}), std::invalid_argument);
  CHECK_THROWS_AS(crop(image, {0, 2'000'000'000, 1, 2'000'000'000}), std::invalid_argument);
  CHECK_THROWS_AS(crop(Image{}, {0, 0, 1, 1}), std::invalid_argument);
}

TEST_CASE("A centre crop rounds odd margins to the even offset", "[io][resize]") {
  const Image image = waves(9, 7);
  CHECK(center_crop(image, 6, 2) == crop(image, {2, 2, 6, 2}));  // margins 1.5 and 2.5
  CHECK(center_crop(image, 8, 7) == crop(image, {0, 0, 8, 7}));  // margin 0.5
  CHECK(center_crop(image, 3, 1) == crop(image, {3, 3, 3, 1}));
}

TEST_CASE("A centre crop of a smaller image has a border of the fill colour", "[io][resize]") {
  const Image dot{1, 1, {5, 6, 7}};
  const Image framed = center_crop(dot, 4, 3, {1, 2, 3});
  for (int i = 0; i < 12; ++i) {
    const bool inside = i == 5;  // column 1 of row 1: the larger margin is right and below
    CHECK(framed.pixels[std::size_t(3 * i)] == (inside ? 5 : 1));
    CHECK(framed.pixels[std::size_t(3 * i + 2)] == (inside ? 7 : 3));
  }
  const Image wide = waves(6, 1);
  CHECK(center_crop(wide, 2, 3).pixels[6] == wide.pixels[6]);
  CHECK(center_crop(wide, 2, 3).pixels[0] == 0);
  CHECK_THROWS_AS(center_crop(dot, 0, 3), std::invalid_argument);
  CHECK_THROWS_AS(center_crop(Image{}, 2, 2), std::invalid_argument);
}

TEST_CASE("Filters go by PIL's names", "[io][resize]") {
  for (const Interpolation filter : kFilters) {
    CHECK(parse_interpolation(interpolation_name(filter)) == filter);
  }
  CHECK_THROWS_WITH(parse_interpolation("cubic"), Contains("bicubic") && Contains("'cubic'"));
}
