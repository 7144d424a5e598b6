#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>

#include "image_fixtures.h"
#include "tokensieve/io/image.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

std::vector<std::string> readable_images() {
  std::vector<std::string> names;
  for (const auto& words : expected_images("decode")) {
    if (can_read(words[0])) names.push_back(words[0]);
  }
  return names;
}

DecodeOptions small_pictures() {
  DecodeOptions options;
  options.max_pixels = 1 << 16;  // damaged sizes must not make the test slow
  return options;
}

/// The picture, or nothing on runtime_error. Anything else fails the test.
std::optional<Image> try_decode(std::span<const std::byte> bytes) {
  try {
    return decode_image(bytes, "hostile", small_pictures());
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

void put_big_endian(std::vector<std::byte>& bytes, std::size_t at, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) {
    bytes[at + std::size_t(i)] = static_cast<std::byte>(value >> 8 * (count - 1 - i));
  }
}

/// Makes the checksums of a PNG's chunks right again, so that damage gets past them.
void repair_checksums(std::vector<std::byte>& bytes) {
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length = length << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    if (length > bytes.size() - at - 12) return;
    std::uint32_t crc = 0xFFFFFFFFU;
    for (std::size_t i = at + 4; i < at + 8 + length; ++i) {
      crc ^= static_cast<std::uint8_t>(bytes[i]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0U);
    }
    put_big_endian(bytes, at + 8 + length, ~crc, 4);
    at += 12 + length;
  }
}

void mutate(std::vector<std::byte>& bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::size_t changes = 1 + below(4);
  for (std::size_t i = 0; i < changes; ++i) {
    // Half of the changes hit the header, where they do most.
    const std::size_t at =
        below(below(2) == 0 ? bytes.size() : std::min<std::size_t>(200, bytes.size()));
    switch (below(4)) {
      case 0:
        bytes[at] = std::byte{0xFF};
        break;
      case 1:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 2:
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default:
        bytes[at] ^= std::byte{1} << below(8);
    }
  }
}

void mutate_all(int rounds) {
  for (const std::string& name : readable_images()) {
    const std::vector<std::byte> original = image_bytes(name);
    std::mt19937 random(20240229);
    INFO(name);
    for (int round = 0; round < rounds; ++round) {
      std::vector<std::byte> bytes = original;
      mutate(bytes, random);
      if (name.ends_with(".png") && round % 4 != 0) repair_checksums(bytes);
      const auto image = try_decode(bytes);
      if (!image) continue;
      REQUIRE(image->pixels.size() == std::size_t(3) * std::size_t(image->width * image->height));
    }
  }
}

std::vector<std::byte> png_of_size(std::uint32_t width, std::uint32_t height) {
  auto bytes = image_bytes("rgb.png");
  put_big_endian(bytes, 16, width, 4);
  put_big_endian(bytes, 20, height, 4);
  repair_checksums(bytes);
  return bytes;
}

/// A JPEG's height and width stand 5 bytes into its frame header.
std::vector<std::byte> jpeg_of_size(std::string_view name, std::byte frame, std::uint32_t width,
                                    std::uint32_t height) {
  auto bytes = image_bytes(name);
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) {
    if (bytes[i] != std::byte{0xFF} || bytes[i + 1] != frame) continue;
    put_big_endian(bytes, i + 5, height, 2);
    put_big_endian(bytes, i + 7, width, 2);
    break;
  }
  return bytes;
}

}  // namespace

TEST_CASE("A file cut short anywhere is an error, or loses nothing", "[io][image][hostile]") {
  for (const std::string& name : readable_images()) {
    INFO(name);
    const auto bytes = image_bytes(name);
    const Image whole = decode_image(bytes);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto image = try_decode(std::span(bytes).first(length));
      if (!image) continue;
      CAPTURE(length, bytes.size());
      REQUIRE(image->pixels.size() == whole.pixels.size());  // the orientation may be what was lost
      REQUIRE(std::span(bytes).size() - length < 200);
    }
  }
}

TEST_CASE("A PNG has one palette, with colours", "[io][image][hostile]") {
  // stb takes the first for whole by what the last one holds, and reads colours it never set.
  const auto original = image_bytes("palette_short.png");
  const auto name = std::string_view("PLTE");
  const auto found = std::search(original.begin(), original.end(), name.begin(), name.end(),
                                 [](std::byte a, char b) { return a == std::byte(b); });
  REQUIRE(found != original.end());
  std::vector<std::byte> empty(4);
  for (const char letter : name) empty.push_back(std::byte(letter));
  empty.resize(12);
  auto bytes = original;
  bytes.insert(bytes.end() - 12, empty.begin(), empty.end());  // before IEND
  repair_checksums(bytes);
  CHECK_THROWS_WITH(decode_image(bytes), Contains("expected one palette with colours"));
  bytes = original;
  bytes.insert(bytes.begin() + (found - original.begin()) - 4, empty.begin(), empty.end());
  repair_checksums(bytes);
  CHECK_THROWS_WITH(decode_image(bytes), Contains("expected one palette with colours"));
}

TEST_CASE("Damaged files never do worse than an error", "[io][image][hostile]") { mutate_all(200); }

TEST_CASE("Damaged files never do worse than an error, at length", "[.slow][image][hostile]") {
  mutate_all(5000);
}

TEST_CASE("A header that lies about the size costs no memory", "[io][image][hostile]") {
  CHECK_THROWS_WITH(decode_image(png_of_size(0x7FFFFFFF, 0x7FFFFFFF)), Contains("pixels"));
  CHECK_THROWS_WITH(decode_image(png_of_size(0xFFFFFFFF, 1)), Contains("pixels"));
  CHECK_THROWS_AS(decode_image(png_of_size(12000, 12000)), std::runtime_error);
  CHECK_THROWS_WITH(decode_image(png_of_size(0, 4)), Contains("at least one pixel"));
  if (!can_read("420.jpg")) return;
  const auto baseline = std::byte{0xC0};
  const auto progressive = std::byte{0xC2};
  CHECK_THROWS_WITH(decode_image(jpeg_of_size("420.jpg", baseline, 65500, 65500)),
                    Contains("pixels"));
  auto cut = jpeg_of_size("420.jpg", baseline, 12000, 12000);
  cut.resize(cut.size() - 2);  // with its end marker it would be grey from there on, as in PIL
  CHECK_THROWS_WITH(decode_image(cut), Contains("truncated"));
  CHECK_THROWS_AS(decode_image(jpeg_of_size("420.jpg", baseline, 0, 12)), std::runtime_error);
  CHECK_THROWS_WITH(decode_image(jpeg_of_size("progressive.jpg", progressive, 65500, 65500)),
                    Contains("pixels"));
}
