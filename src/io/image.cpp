#include "tokensieve/io/image.h"

#include <algorithm>
#include <array>
#include <string>

#include "codecs.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

constexpr auto kFormats = std::to_array<std::string_view>({
    "png",
    "bmp",
#ifdef TOKENSIEVE_HAVE_JPEG
    "jpeg",
#endif
#ifdef TOKENSIEVE_HAVE_WEBP
    "webp",
#endif
});

}  // namespace

void EncodedImage::check_size(std::uint64_t width, std::uint64_t height) const {
  // Longer than any picture; a resize filter holds up to six weights a pixel of a side.
  constexpr std::uint64_t kLongestSide = 1U << 20;
  check(width > 0 && height > 0, "expected at least one pixel, got ", width, " x ", height);
  check(width <= kLongestSide && height <= kLongestSide, "expected sides of at most ", kLongestSide,
        " pixels, got ", width, " x ", height);
  check(width * height <= options.max_pixels, "expected at most ", options.max_pixels,
        " pixels, got ", width, " x ", height,
        "; raise DecodeOptions::max_pixels if the picture is to be trusted");
}

void check_image(const Image& image, std::string_view operation) {
  const bool sides = image.width > 0 && image.height > 0;
  check_argument(sides && image.pixels.size() == std::size_t{3} *
                                                     static_cast<unsigned>(image.width) *
                                                     static_cast<unsigned>(image.height),
                 "[", operation, "] expected an image of 3 * width * height bytes, got ",
                 image.width, " x ", image.height, " with ", image.pixels.size(), " bytes");
}

std::span<const std::string_view> image_formats() { return kFormats; }

Image decode_image(std::span<const std::byte> bytes, std::string_view name,
                   const DecodeOptions& options) {
  const std::string shown = printable(name, 300);
  const EncodedImage file{bytes, shown, options};
  file.check(bytes.size() <= options.max_file_bytes, "expected at most ", options.max_file_bytes,
             " bytes, got ", bytes.size(), "; raise DecodeOptions::max_file_bytes");
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 12));
  if (head.starts_with("\xFF\xD8\xFF")) return decode_jpeg(file);
  if (head.starts_with("\x89PNG\r\n\x1A\n")) return decode_png(file);
  if (head.starts_with("BM")) return decode_bmp(file);
  if (head.starts_with("RIFF") && head.ends_with("WEBP")) return decode_webp(file);
  std::string shown_head(head);
  std::ranges::replace_if(
      shown_head, [](char c) { return c < ' ' || c > '~'; }, '.');
  file.fail("expected a JPEG, PNG, BMP or WebP file, got ",
            head.empty() ? "no bytes" : "one that begins with '" + shown_head + "'");
}

Image read_image(const std::filesystem::path& path, const DecodeOptions& options) {
  const RandomAccessFile file(path);
  check_runtime(file.size() <= options.max_file_bytes, "[read_image] ", path.string(),
                ": expected at most ", options.max_file_bytes, " bytes, got ", file.size(),
                "; raise DecodeOptions::max_file_bytes");
  std::vector<std::byte> bytes(file.size());
  file.read_at(0, bytes);
  return decode_image(bytes, path.string(), options);
}

void write_png(const std::filesystem::path& path, const Image& image) {
  const std::vector<std::byte> bytes = encode_png(image);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace tokensieve
