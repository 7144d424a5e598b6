#include "tokensieve/io/image.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "image_fixtures.h"
#include "temp_folder.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

/// A picture of which every pixel differs.
Image numbered(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    for (const int v : {i % 251, i / 251, 7 * i % 256}) {
      image.pixels.push_back(static_cast<std::uint8_t>(v));
    }
  }
  return image;
}

}  // namespace

TEST_CASE("Every kind of file decodes to PIL's pixels, the right way up", "[io][image]") {
  for (const auto& words : expected_images("decode")) {
    if (!can_read(words[0])) continue;
    INFO(words[0]);
    const Image image = read_image(image_path(words[0]));
    CHECK(std::to_string(image.width) == words[1]);
    CHECK(std::to_string(image.height) == words[2]);
    CHECK(hash_of(image) == words[3]);
  }
}

TEST_CASE("Without orientation the pixels are as stored", "[io][image]") {
  DecodeOptions options;
  options.apply_orientation = false;
  for (const auto& words : expected_images("stored")) {
    if (!can_read(words[0])) continue;
    INFO(words[0]);
    const Image image = read_image(image_path(words[0]), options);
    CHECK(std::to_string(image.width) == words[1]);
    CHECK(std::to_string(image.height) == words[2]);
    CHECK(hash_of(image) == words[3]);
  }
}

TEST_CASE("The eight orientations of one picture are eight pictures", "[io][image]") {
  if (!can_read("exif_1.jpg")) return;
  const Image upright = read_image(image_path("exif_1.jpg"));
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const Image turned = read_image(image_path("exif_" + std::to_string(orientation) + ".jpg"));
    INFO(orientation);
    CHECK((turned.width == upright.height) == (orientation >= 5));
    CHECK(turned != upright);
  }
}

TEST_CASE("PNG gives back what was written", "[io][image]") {
  for (const auto& [width, height] : {std::pair{1, 1}, {301, 3}, {2, 257}, {64, 64}}) {
    const Image image = numbered(width, height);
    CHECK(decode_image(encode_png(image)) == image);
  }
}

TEST_CASE("A PNG file replaces the one before it, and leaves nothing beside", "[io][image]") {
  const TempFolder folder;
  write_png(folder / "a.png", numbered(5, 4));
  write_png(folder / "a.png", numbered(3, 9));
  CHECK(read_image(folder / "a.png") == numbered(3, 9));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_AS(write_png(folder / "missing" / "a.png", numbered(3, 3)), std::runtime_error);
}

TEST_CASE("An image that contradicts itself is not encoded", "[io][image]") {
  CHECK_THROWS_AS(encode_png(Image{}), std::invalid_argument);
  CHECK_THROWS_AS(encode_png(Image{2, 2, {1, 2, 3}}), std::invalid_argument);
  CHECK_THROWS_AS(encode_png(Image{-1, -1, {1, 2, 3}}), std::invalid_argument);
  CHECK_THROWS_WITH(encode_png(Image{2, 1, {1, 2, 3}}), Contains("2 x 1 with 3 bytes"));
}

TEST_CASE("Errors of decoding name the picture and what was found", "[io][image]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(decode_image({}, "empty.jpg"), Contains("empty.jpg") && Contains("no bytes"));
  const std::string gif = "GIF89a\x01\x80 more bytes";
  CHECK_THROWS_WITH(decode_image(std::as_bytes(std::span(gif)), "a.gif"),
                    Contains("begins with 'GIF89a..'") || Contains("begins with 'GIF89a.. mor'"));
  CHECK_THROWS_AS(read_image(folder / "missing.png"), std::runtime_error);
  CHECK_THROWS_AS(read_image(folder.path()), std::runtime_error);
  write_text_file(folder / "text.png", "not a picture");
  CHECK_THROWS_WITH(read_image(folder / "text.png"), Contains("text.png"));
}

TEST_CASE("The limits hold for every format before anything is decoded", "[io][image]") {
  DecodeOptions few_pixels;
  few_pixels.max_pixels = 27 * 21 - 1;
  DecodeOptions few_bytes;
  few_bytes.max_file_bytes = 100;
  for (const char* name : {"420.jpg", "rgb.png", "rgb.bmp", "lossy.webp"}) {
    if (!can_read(name)) continue;
    INFO(name);
    if (std::string_view(name) != "rgb.bmp") {
      CHECK_THROWS_WITH(read_image(image_path(name), few_pixels), Contains("27 x 21"));
    }
    CHECK_THROWS_WITH(read_image(image_path(name), few_bytes), Contains("100 bytes"));
    CHECK_THROWS_WITH(decode_image(image_bytes(name), name, few_bytes), Contains("100 bytes"));
  }
  few_pixels.max_pixels += 1;
  CHECK_NOTHROW(read_image(image_path("rgb.png"), few_pixels));
}

TEST_CASE("Valid files of kinds that are not read say what to do", "[io][image]") {
  CHECK_THROWS_WITH(read_image(image_path("rle.bmp")), Contains("save it as PNG"));
  if (can_read("animated.webp")) {
    CHECK_THROWS_WITH(read_image(image_path("animated.webp")), Contains("animation"));
  }
}
