#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/image.h"

/// The pictures of tests/data/images and what PIL makes of them; see make_image_fixtures.py.

inline std::filesystem::path image_path(std::string_view name) {
  return std::filesystem::path(TOKENSIEVE_TEST_DATA) / "images" / name;
}

inline std::vector<std::byte> image_bytes(std::string_view name) {
  std::ifstream in(image_path(name), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The words of every line of expected.txt (or of `file`) that begins with `kind`, without it.
inline std::vector<std::vector<std::string>> expected_images(
    std::string_view kind, const std::filesystem::path& file = image_path("expected.txt")) {
  std::ifstream in(file);
  std::vector<std::vector<std::string>> found;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::vector<std::string> all(std::istream_iterator<std::string>(words), {});
    if (all.at(0) != kind) continue;
    all.erase(all.begin());
    found.push_back(all);
  }
  return found;
}

/// FNV-1a 64 in 16 hexadecimal digits, as expected.txt has it.
inline std::string hash_of(std::span<const std::byte> bytes) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (const std::byte byte : bytes) {
    value = (value ^ static_cast<std::uint8_t>(byte)) * 0x100000001B3U;
  }
  std::ostringstream out;
  out.fill('0');
  out.width(16);
  out << std::hex << value;
  return out.str();
}

inline std::string hash_of(const tokensieve::Image& image) {
  return hash_of(std::as_bytes(std::span(image.pixels)));
}

/// Whether this build reads the format that the name's extension says.
inline bool can_read(const std::filesystem::path& name) {
  const std::string extension = name.extension().string();
  const std::string_view wanted =
      extension == ".jpg" ? "jpeg" : std::string_view(extension).substr(1);
  for (const std::string_view format : tokensieve::image_formats()) {
    if (format == wanted) return true;
  }
  return false;
}
