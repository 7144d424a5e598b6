#include "codecs.h"

#ifdef TOKENSIEVE_HAVE_WEBP

#include <utility>

#include <webp/decode.h>

#include "orientation.h"

namespace tokensieve {
namespace {

const std::uint8_t* data_of(const EncodedImage& file) {
  return reinterpret_cast<const std::uint8_t*>(file.bytes.data());
}

/// The content of the first chunk of that name in the RIFF file, or nothing.
std::span<const std::byte> find_chunk(const EncodedImage& file, std::string_view name) {
  std::size_t at = 12;
  while (file.size() >= 8 && at <= file.size() - 8) {
    const std::size_t length = file[at + 4] | file[at + 5] << 8 | file[at + 6] << 16 |
                               static_cast<std::size_t>(file[at + 7]) << 24;
    if (length > file.size() - at - 8) return {};
    const std::string_view found(reinterpret_cast<const char*>(data_of(file)) + at, 4);
    if (found == name) return file.bytes.subspan(at + 8, length);
    at += 8 + length + length % 2;
  }
  return {};
}

int find_orientation(const EncodedImage& file) {
  const int orientation = exif_orientation(find_chunk(file, "EXIF"));
  return orientation != 0 ? orientation : xmp_orientation(find_chunk(file, "XMP "));
}

}  // namespace

Image decode_webp(const EncodedImage& file) {
  WebPBitstreamFeatures features;
  file.check(WebPGetFeatures(data_of(file), file.size(), &features) == VP8_STATUS_OK,
             "expected a whole WebP, got a truncated or damaged header");
  file.check_size(static_cast<std::uint64_t>(features.width),
                  static_cast<std::uint64_t>(features.height));
  file.check(features.has_animation == 0,
             "expected a still WebP, got an animation; save the wanted frame as a picture");
  Image image{features.width, features.height, {}};
  image.pixels.resize(std::size_t{3} * static_cast<std::size_t>(image.width) *
                      static_cast<std::size_t>(image.height));
  const bool ok = WebPDecodeRGBInto(data_of(file), file.size(), image.pixels.data(),
                                    image.pixels.size(), 3 * image.width) != nullptr;
  file.check(ok, "expected a whole WebP, got a truncated or damaged one");
  return file.options.apply_orientation ? orient(std::move(image), find_orientation(file)) : image;
}

}  // namespace tokensieve

#else

namespace tokensieve {

Image decode_webp(const EncodedImage& file) {
  file.fail("tokensieve was built without WebP; install libwebp and build again");
}

}  // namespace tokensieve

#endif
