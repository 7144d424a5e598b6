#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tokensieve/core/error.h"
#include "tokensieve/io/image.h"

namespace tokensieve {

/// A picture file in memory and what to call it in messages.
struct EncodedImage {
  std::span<const std::byte> bytes;
  std::string_view name;
  const DecodeOptions& options;

  std::size_t size() const { return bytes.size(); }
  std::uint8_t operator[](std::size_t i) const { return static_cast<std::uint8_t>(bytes[i]); }

  /// Throws runtime_error about this picture.
  template <typename... Args>
  [[noreturn]] void fail(const Args&... what) const {
    fail_runtime("[decode_image] ", name, ": ", what...);
  }

  template <typename... Args>
  void check(bool ok, const Args&... what) const {
    if (!ok) fail(what...);
  }

  /// Fails unless both sides are at least 1 and their product is within the limit.
  void check_size(std::uint64_t width, std::uint64_t height) const;
};

/// One function a format; `bytes` are known to begin with the format's signature. All throw
/// runtime_error through EncodedImage::fail.
Image decode_jpeg(const EncodedImage& file);
Image decode_png(const EncodedImage& file);
Image decode_bmp(const EncodedImage& file);
Image decode_webp(const EncodedImage& file);

/// Throws invalid_argument unless the image has pixels and as many as its sides say.
void check_image(const Image& image, std::string_view operation);

}  // namespace tokensieve
