#include <algorithm>
#include <array>
#include <cstdlib>

#include "codecs.h"

namespace tokensieve {
namespace {

std::uint32_t little_endian(const EncodedImage& file, std::size_t at, std::size_t bytes) {
  file.check(at <= file.size() && bytes <= file.size() - at,
             "expected a whole BMP, got a truncated one");
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | file[at + i];
  return value;
}

using Color = std::array<std::uint8_t, 3>;
using Masks = std::array<std::uint32_t, 3>;

struct BmpHeader {
  std::uint32_t header_size = 0;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool top_down = false;
  std::uint32_t bits = 0;
  std::uint32_t compression = 0;
  std::uint32_t colors = 0;      // entries of the palette
  std::size_t after_header = 0;  // where the palette or the colour masks start
  std::size_t pixels = 0;        // where the first row starts
};

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kUncompressed = 0;
constexpr std::uint32_t kBitFields = 3;

void read_info(const EncodedImage& file, BmpHeader& header) {
  if (header.header_size == 12) {  // OS/2 1: 16-bit sizes, palette entries of three bytes
    header.width = little_endian(file, kFileHeader + 4, 2);
    header.height = little_endian(file, kFileHeader + 6, 2);
    header.bits = little_endian(file, kFileHeader + 10, 2);
    return;
  }
  header.width = little_endian(file, kFileHeader + 4, 4);
  const auto height = static_cast<std::int32_t>(little_endian(file, kFileHeader + 8, 4));
  header.top_down = height < 0;
  header.height = static_cast<std::uint64_t>(std::abs(std::int64_t{height}));
  header.bits = little_endian(file, kFileHeader + 14, 2);
  header.compression = little_endian(file, kFileHeader + 16, 4);
  header.colors = little_endian(file, kFileHeader + 32, 4);
}

BmpHeader read_header(const EncodedImage& file) {
  BmpHeader header;
  header.pixels = little_endian(file, 10, 4);
  header.header_size = little_endian(file, kFileHeader, 4);
  const std::uint32_t size = header.header_size;
  file.check(size == 12 || size == 40 || size == 52 || size == 56 || size == 64 || size == 108 ||
                 size == 124,
             "expected a BMP header of 12, 40, 52, 56, 64, 108 or 124 bytes, got ", size);
  read_info(file, header);
  header.after_header = kFileHeader + size;
  file.check_size(header.width, header.height);
  const std::uint32_t bits = header.bits;
  file.check(bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32,
             "expected a BMP of 1, 4, 8, 16, 24 or 32 bits a pixel, got ", bits);
  file.check(
      header.compression == kUncompressed || (header.compression == kBitFields && bits >= 16),
      "expected an uncompressed BMP, got compression ", header.compression, "; save it as PNG");
  return header;
}

/// The palette; indices beyond it are black, as PIL has it.
std::array<Color, 256> read_palette(const EncodedImage& file, BmpHeader& header) {
  std::array<Color, 256> palette{};
  const std::uint32_t colors = header.colors != 0 ? header.colors : 1U << header.bits;
  file.check(colors <= 65536, "expected a palette of at most 65536 entries, got ", colors);
  const std::size_t entry = header.header_size == 12 ? 3 : 4;
  for (std::size_t i = 0; i < std::min<std::size_t>(colors, palette.size()); ++i) {
    const std::size_t at = header.after_header + entry * i;
    for (std::size_t c = 0; c < 3; ++c) {  // B, G, R
      palette[i][2 - c] = static_cast<std::uint8_t>(little_endian(file, at + c, 1));
    }
  }
  // Some programs write an offset that leaves the palette out.
  if (header.pixels == header.after_header) header.pixels += entry * colors;
  return palette;
}

/// The bits of R, G and B in a pixel of 16, 24 or 32 bits.
Masks read_masks(const EncodedImage& file, const BmpHeader& header) {
  constexpr Masks kBytes = {0xFF0000, 0xFF00, 0xFF};
  constexpr Masks k555 = {0x7C00, 0x3E0, 0x1F};
  constexpr Masks k565 = {0xF800, 0x7E0, 0x1F};
  if (header.compression == kUncompressed) return header.bits == 16 ? k555 : kBytes;

  Masks masks{};
  for (std::size_t c = 0; c < 3; ++c) {  // right after the first 40 bytes, in every version
    masks[c] = little_endian(file, kFileHeader + 40 + 4 * c, 4);
  }
  bool known =
      header.bits == 16 ? masks == k555 || masks == k565 : header.bits == 24 && masks == kBytes;
  if (header.bits == 32) {
    if (masks == Masks{}) return kBytes;
    known = true;
    for (const std::uint32_t mask : masks) {
      known &= mask == 0xFFU || mask == 0xFF00U || mask == 0xFF0000U || mask == 0xFF000000U;
    }
  }
  file.check(known, "expected colour masks of whole bytes, 5-5-5 or 5-6-5 bits, got ", masks[0],
             ", ", masks[1], ", ", masks[2]);
  return masks;
}

void read_indexed_row(const EncodedImage& file, std::size_t at, std::uint32_t bits,
                      const std::array<Color, 256>& palette, std::span<std::uint8_t> rgb) {
  const std::size_t per_byte = 8 / bits;
  for (std::size_t x = 0; x < rgb.size() / 3; ++x) {
    const std::size_t shift = 8 - bits * (x % per_byte + 1);
    const Color& color = palette[file[at + x / per_byte] >> shift & ((1U << bits) - 1)];
    std::copy(color.begin(), color.end(), &rgb[3 * x]);
  }
}

void read_direct_row(const EncodedImage& file, std::size_t at, std::uint32_t bits,
                     const Masks& masks, std::span<std::uint8_t> rgb) {
  for (std::size_t x = 0; x < rgb.size() / 3; ++x) {
    const std::uint32_t pixel = little_endian(file, at + x * (bits / 8), bits / 8);
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint32_t lowest = masks[c] & (~masks[c] + 1);
      rgb[3 * x + c] =
          static_cast<std::uint8_t>((pixel & masks[c]) / lowest * 255 / (masks[c] / lowest));
    }
  }
}

}  // namespace

// Not stb's reader: it takes a truncated file for a black picture and reads palettes it never set.
Image decode_bmp(const EncodedImage& file) {
  BmpHeader header = read_header(file);
  const bool indexed = header.bits <= 8;
  const auto palette = indexed ? read_palette(file, header) : std::array<Color, 256>{};
  const Masks masks = indexed ? Masks{} : read_masks(file, header);

  const std::uint64_t stride = (header.width * header.bits + 31) / 32 * 4;
  file.check(header.pixels <= file.size() && stride * header.height <= file.size() - header.pixels,
             "expected a whole BMP, got a truncated one");
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), {}};
  image.pixels.resize(3 * header.width * header.height);
  for (std::uint64_t y = 0; y < header.height; ++y) {
    const std::size_t at = header.pixels + stride * (header.top_down ? y : header.height - 1 - y);
    const std::span row(image.pixels.data() + 3 * header.width * y, 3 * header.width);
    if (indexed) {
      read_indexed_row(file, at, header.bits, palette, row);
    } else {
      read_direct_row(file, at, header.bits, masks, row);
    }
  }
  return image;
}

}  // namespace tokensieve
