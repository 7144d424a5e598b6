#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace tokensieve {

/// A picture in memory: 8-bit RGB, row-major [height, width, 3], no padding between rows.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  bool operator==(const Image&) const = default;
};

/// What decode_image accepts and does.
struct DecodeOptions {
  /// Longer files are refused before they are read.
  std::size_t max_file_bytes = std::size_t{256} << 20;
  /// Pictures with more pixels are refused before their memory is taken. This many is where PIL
  /// stops.
  std::size_t max_pixels = 178'956'970;
  /// Turn and mirror the picture as its EXIF (or XMP) orientation says, as
  /// PIL.ImageOps.exif_transpose does. Off gives the pixels as stored, which is what torchvision
  /// and timm read.
  bool apply_orientation = true;
};

/// The formats this build reads, in lower case: "jpeg", "png", "bmp", "webp". JPEG and WebP are
/// there if their libraries were when tokensieve was built.
std::span<const std::string_view> image_formats();

/// Decodes a JPEG, PNG, BMP or WebP file held in memory; its first bytes tell the format. Pixels
/// equal PIL's `convert("RGB")`: grey is repeated, palettes are looked up, CMYK is converted, alpha
/// and colour profiles are dropped. One difference: 16-bit grey PNG keeps its high byte (PIL clips
/// it to white). RLE-compressed BMP, animated WebP and sides above 2^20 pixels are refused. `name`
/// stands for the picture in messages. Throws runtime_error on an unknown format, damaged or
/// truncated data, or a limit exceeded.
Image decode_image(std::span<const std::byte> bytes, std::string_view name = "image",
                   const DecodeOptions& options = {});

/// decode_image on a file. Throws runtime_error too if the file cannot be read.
Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {});

/// The bytes of a PNG file with these pixels. Throws invalid_argument if the image is empty, or its
/// pixels are not 3 * width * height bytes, or there are more than 500 million of those.
std::vector<std::byte> encode_png(const Image& image);

/// Writes encode_png(image) to `path`, all or nothing: a reader never sees half a file. Throws
/// runtime_error if it cannot be written.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace tokensieve
