// What each format's decoder refuses, one way to be wrong at a time.

#include <catch2/catch.hpp>
#include <stdexcept>

#include "image_fixtures.h"
#include "tokensieve/io/image.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

using Bytes = std::vector<std::byte>;

Bytes with_number(Bytes bytes, std::size_t at, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) {
    bytes[at + std::size_t(i)] = static_cast<std::byte>(value >> 8 * i);
  }
  return bytes;
}

/// Where the two bytes of a JPEG marker stand, the last time.
std::size_t last_marker(const Bytes& bytes, std::uint8_t marker) {
  std::size_t found = bytes.size();
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] == std::byte{0xFF} && bytes[i + 1] == std::byte{marker}) found = i;
  }
  REQUIRE(found < bytes.size());
  return found;
}

}  // namespace

TEST_CASE("BMP headers that make no sense are refused by name", "[io][image][bmp]") {
  const Bytes rgb = image_bytes("rgb.bmp");  // 54 bytes of header, 24 bits
  const Bytes indexed = image_bytes("palette_4bit.bmp");
  const Bytes masked = image_bytes("32bit_masks.bmp");
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 14, 41, 4)), Contains("header of"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 18, 0, 4)), Contains("at least one pixel"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 18, 0xFFFFFFFF, 4)), Contains("pixels"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 22, 0x80000000, 4)), Contains("pixels"));
  CHECK_THROWS_WITH(decode_image(with_number(with_number(rgb, 18, 1, 4), 22, (1 << 20) + 1, 4)),
                    Contains("sides of at most 1048576"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 22, 10000, 4)), Contains("truncated"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 28, 2, 2)), Contains("bits a pixel, got 2"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 30, 4, 4)), Contains("compression 4"));
  CHECK_THROWS_WITH(decode_image(with_number(indexed, 30, 3, 4)), Contains("compression 3"));
  CHECK_THROWS_WITH(decode_image(with_number(indexed, 46, 65537, 4)), Contains("palette"));
  CHECK_THROWS_WITH(decode_image(with_number(masked, 54, 0xF0, 4)), Contains("masks"));
  CHECK_THROWS_WITH(decode_image(with_number(rgb, 10, 0xFFFFFFFF, 4)), Contains("truncated"));
}

TEST_CASE("A BMP whose offset leaves out the palette is read past it", "[io][image][bmp]") {
  const Bytes indexed = image_bytes("palette_4bit.bmp");
  CHECK(decode_image(with_number(indexed, 10, 54, 4)) == decode_image(indexed));
}

TEST_CASE("A PNG with a wrong checksum or no end is refused", "[io][image][png]") {
  Bytes bytes = image_bytes("rgb.png");
  const std::size_t middle = bytes.size() / 2;
  bytes[middle] ^= std::byte{1};
  CHECK_THROWS_WITH(decode_image(bytes), Contains("wrong checksum"));
  bytes[middle] ^= std::byte{1};
  bytes.resize(bytes.size() - 12);
  CHECK_THROWS_WITH(decode_image(bytes), Contains("truncated"));
  bytes.resize(20);
  CHECK_THROWS_WITH(decode_image(bytes), Contains("header"));
}

TEST_CASE("A PNG that inflates to more than its picture is refused", "[io][image][png]") {
  CHECK_THROWS_WITH(decode_image(image_bytes("bomb.png")), Contains("damaged"));
}

TEST_CASE("JPEG errors say whether the file ends or is damaged", "[io][image][jpeg]") {
  if (!can_read("420.jpg")) return;
  Bytes bytes = image_bytes("420.jpg");
  const std::size_t frame = last_marker(bytes, 0xC0);
  CHECK_THROWS_WITH(decode_image(with_number(bytes, frame + 4, 12, 1)), Contains("damaged"));
  CHECK_THROWS_WITH(decode_image(std::span(bytes).first(bytes.size() - 20)), Contains("truncated"));
  CHECK_THROWS_WITH(decode_image(std::span(bytes).first(30)), Contains("truncated"));
}

TEST_CASE("A JPEG of two components is refused", "[io][image][jpeg]") {
  if (!can_read("444.jpg")) return;
  Bytes bytes = image_bytes("444.jpg");
  const std::size_t frame = last_marker(bytes, 0xC0);
  bytes = with_number(bytes, frame + 3, 8 + 3 * 2, 1);  // the frame header's length
  bytes = with_number(bytes, frame + 9, 2, 1);
  const auto third = bytes.begin() + static_cast<std::ptrdiff_t>(frame + 10 + 6);
  bytes.erase(third, third + 3);
  const std::size_t scan = last_marker(bytes, 0xDA);
  bytes = with_number(bytes, scan + 3, 6 + 2 * 2, 1);
  bytes = with_number(bytes, scan + 4, 2, 1);
  const auto third_of_scan = bytes.begin() + static_cast<std::ptrdiff_t>(scan + 5 + 4);
  bytes.erase(third_of_scan, third_of_scan + 2);
  CHECK_THROWS_WITH(decode_image(bytes), Contains("components, got 2"));
}

TEST_CASE("A JPEG that repeats a scan endlessly is refused", "[io][image][jpeg]") {
  if (!can_read("progressive.jpg")) return;
  const Bytes bytes = image_bytes("progressive.jpg");
  const std::size_t scan = last_marker(bytes, 0xDA);
  const std::size_t end = last_marker(bytes, 0xD9);
  Bytes many(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
  for (int i = 0; i < 600; ++i) {
    many.insert(many.end(), bytes.begin() + static_cast<std::ptrdiff_t>(scan),
                bytes.begin() + static_cast<std::ptrdiff_t>(end));
  }
  many.insert(many.end(), bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end());
  CHECK_THROWS_WITH(decode_image(many), Contains("500 progressive scans"));
}

TEST_CASE("A damaged WebP is refused, in its header or after", "[io][image][webp]") {
  if (!can_read("lossy.webp")) return;
  const Bytes bytes = image_bytes("lossy.webp");
  CHECK_THROWS_WITH(decode_image(std::span(bytes).first(20)), Contains("header"));
  CHECK_THROWS_WITH(decode_image(std::span(bytes).first(bytes.size() / 2)), Contains("truncated"));
}
