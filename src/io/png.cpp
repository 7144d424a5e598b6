#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "codecs.h"
#include "orientation.h"

namespace {

/// The largest block stb may take, so that a few bytes that inflate to gigabytes are an error.
/// Honest files stay below: the limit follows from their sides and their length.
thread_local std::size_t stb_block_limit = SIZE_MAX;

void* stb_allocate(std::size_t bytes) {
  return bytes <= stb_block_limit ? std::malloc(bytes) : nullptr;
}

void* stb_reallocate(void* block, std::size_t bytes) {
  return bytes <= stb_block_limit ? std::realloc(block, bytes) : nullptr;
}

}  // namespace

#define STBI_MALLOC(bytes) stb_allocate(bytes)
#define STBI_REALLOC(block, bytes) stb_reallocate(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace tokensieve {
namespace {

constexpr std::size_t kSignature = 8;
constexpr std::size_t kHeaderEnd = kSignature + 8 + 13 + 4;  // the IHDR chunk comes first

std::uint32_t big_endian(const EncodedImage& file, std::size_t at) {
  return static_cast<std::uint32_t>(file[at]) << 24 |
         static_cast<std::uint32_t>(file[at + 1]) << 16 |
         static_cast<std::uint32_t>(file[at + 2]) << 8 | file[at + 3];
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t value = n;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xEDB88320U : 0U);
    table[n] = value;
  }
  return table;
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t value = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    value = kTable[(value ^ static_cast<std::uint8_t>(byte)) & 0xFF] ^ value >> 8;
  }
  return ~value;
}

/// What the chunks say that stb does not look at.
struct PngChunks {
  std::span<const std::byte> exif;
  std::span<const std::byte> palette;  // a part of the file
};

/// Walks the chunks to IEND. stb skips all checksums and takes a damaged picture for a whole one.
PngChunks read_chunks(const EncodedImage& file) {
  PngChunks chunks;
  for (std::size_t at = kSignature;;) {
    file.check(file.size() - at >= 12, "expected a whole PNG, got a truncated one");
    const std::size_t length = big_endian(file, at);
    file.check(length <= file.size() - at - 12, "expected a whole PNG, got a truncated one");
    const auto name_and_data = file.bytes.subspan(at + 4, 4 + length);
    file.check(crc32(name_and_data) == big_endian(file, at + 8 + length),
               "expected a whole PNG, got a damaged one (wrong checksum at byte ", at, ")");
    const std::string_view name(reinterpret_cast<const char*>(name_and_data.data()), 4);
    if (name == "eXIf") chunks.exif = name_and_data.subspan(4);
    if (name == "PLTE") {
      file.check(chunks.palette.empty() && length > 0,
                 "expected one palette with colours, got a damaged file");
      chunks.palette = name_and_data.subspan(4);
    }
    if (name == "IEND") return chunks;
    at += 12 + length;
  }
}

/// The file with its palette filled up to 256 black entries, as PIL has it: stb would look up
/// pixels beyond a short one in memory it never set.
std::vector<std::byte> with_full_palette(const EncodedImage& file,
                                         std::span<const std::byte> palette) {
  constexpr std::size_t kFull = 3 * 256;
  const auto start = static_cast<std::size_t>(palette.data() - file.bytes.data());
  std::vector<std::byte> out(file.bytes.begin(), file.bytes.begin() + static_cast<long>(start));
  out[start - 6] = std::byte{kFull >> 8};  // the low bytes of the chunk's length
  out[start - 5] = std::byte{kFull & 0xFF};
  out.insert(out.end(), palette.begin(), palette.end());
  out.resize(start + kFull);
  out.insert(out.end(), file.bytes.begin() + static_cast<long>(start + palette.size()),
             file.bytes.end());
  return out;
}

void append_bytes(void* out, void* data, int size) {
  auto& bytes = *static_cast<std::vector<std::byte>*>(out);
  const auto* first = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), first, first + size);
}

}  // namespace

Image decode_png(const EncodedImage& file) {
  file.check(file.size() >= kHeaderEnd && big_endian(file, kSignature) == 13 &&
                 std::memcmp(&file.bytes[kSignature + 4], "IHDR", 4) == 0,
             "expected a PNG header, got a truncated or damaged file");
  const std::size_t width = big_endian(file, 16);
  const std::size_t height = big_endian(file, 20);
  file.check_size(width, height);
  const PngChunks chunks = read_chunks(file);

  std::span<const std::byte> bytes = file.bytes;
  std::vector<std::byte> repaired;
  const bool short_palette = !chunks.palette.empty() && chunks.palette.size() < 3 * 256;
  if (short_palette && chunks.palette.size() % 3 == 0) {
    repaired = with_full_palette(file, chunks.palette);
    bytes = repaired;
  }
  file.check(bytes.size() <= INT_MAX, "expected a PNG below 2 GB, got ", bytes.size(), " bytes");

  // Twice the rows inflated (8 bytes a pixel at most, filters, interlacing) or twice the input.
  stb_block_limit = (std::size_t{1} << 20) + 2 * (bytes.size() + 8 * (width + 8) * (height + 8));
  int got_width = 0;
  int got_height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&std::free)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &got_width, &got_height, &channels, 3),
      &std::free);
  file.check(pixels != nullptr, "expected a whole PNG, got a damaged one: ", stbi_failure_reason());
  Image image{got_width, got_height, {pixels.get(), pixels.get() + 3 * width * height}};
  return file.options.apply_orientation ? orient(std::move(image), exif_orientation(chunks.exif))
                                        : image;
}

std::vector<std::byte> encode_png(const Image& image) {
  check_image(image, "encode_png");
  check_argument(image.pixels.size() <= 500'000'000,  // stb counts in int
                 "[encode_png] expected at most 500 million bytes, got ", image.pixels.size());
  std::vector<std::byte> bytes;
  const int ok = stbi_write_png_to_func(append_bytes, &bytes, image.width, image.height, 3,
                                        image.pixels.data(), 3 * image.width);
  if (ok == 0) throw std::bad_alloc();
  return bytes;
}

}  // namespace tokensieve
