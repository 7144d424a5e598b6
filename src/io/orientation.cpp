#include "orientation.h"

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace tokensieve {
namespace {

/// Reads numbers of either byte order; outside the data they are 0.
struct TiffReader {
  std::string_view data;
  bool big_endian;

  std::uint32_t number(std::size_t offset, std::size_t bytes) const {
    if (offset > data.size() || bytes > data.size() - offset) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t at = offset + (big_endian ? i : bytes - 1 - i);
      value = value << 8 | static_cast<std::uint8_t>(data[at]);
    }
    return value;
  }
};

constexpr std::uint32_t kOrientationTag = 0x0112;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int in_range(std::uint32_t orientation) {
  return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 0;
}

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  std::string_view data = as_text(exif);
  if (data.starts_with(kPrefix)) data.remove_prefix(kPrefix.size());
  const bool big_endian = data.starts_with(std::string_view("MM\0*", 4));
  if (!big_endian && !data.starts_with(std::string_view("II*\0", 4))) return 0;

  const TiffReader tiff{data, big_endian};
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;  // tag, type, count, value
    if (tiff.number(entry, 2) != kOrientationTag) continue;
    const std::uint32_t type = tiff.number(entry + 2, 2);
    const std::size_t width = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;  // BYTE SHORT LONG
    return tiff.number(entry + 4, 4) == 1 ? in_range(tiff.number(entry + 8, width)) : 0;
  }
  return 0;
}

int xmp_orientation(std::span<const std::byte> xmp) {
  const std::string_view text = as_text(xmp);
  constexpr std::string_view kTag = "tiff:Orientation";
  for (auto at = text.find(kTag); at != text.npos; at = text.find(kTag, at + 1)) {
    const std::string_view rest = text.substr(at + kTag.size());
    const std::size_t skip = rest.starts_with("=\"") ? 2 : rest.starts_with(">") ? 1 : rest.size();
    if (skip < rest.size() && rest[skip] >= '0' && rest[skip] <= '9') {
      return in_range(static_cast<std::uint32_t>(rest[skip] - '0'));
    }
  }
  return 0;
}

Image orient(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  Image out{transposed ? image.height : image.width, transposed ? image.width : image.height, {}};
  out.pixels.resize(image.pixels.size());

  // Where the picture's first row and column went: 2, 3, 7, 8 run one way backwards, 3, 4, 6, 7 the
  // other. Walking one output pixel moves by a fixed step in the source.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::ptrdiff_t row = std::ptrdiff_t{3} * image.width;
  const std::ptrdiff_t along_x = flip_x ? -3 : 3;
  const std::ptrdiff_t along_y = flip_y ? -row : row;
  const std::uint8_t* corner = image.pixels.data();
  if (flip_x) corner += row - 3;
  if (flip_y) corner += row * (image.height - 1);

  const std::ptrdiff_t step = transposed ? along_y : along_x;
  const std::ptrdiff_t next_row = transposed ? along_x : along_y;
  std::uint8_t* to = out.pixels.data();
  for (int y = 0; y < out.height; ++y) {
    const std::uint8_t* from = corner + y * next_row;
    for (int x = 0; x < out.width; ++x, to += 3) std::memcpy(to, from + x * step, 3);
  }
  return out;
}

}  // namespace tokensieve
