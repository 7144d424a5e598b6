#include "codecs.h"

#ifdef TOKENSIEVE_HAVE_JPEG

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>

#include "orientation.h"

namespace tokensieve {
namespace {

/// A libjpeg decoder over bytes in memory. libjpeg reports an error by a call that must not return,
/// so each step below is a function of its own that jumps back to its start: nothing with a
/// destructor lives in it, and the C++ side sees a plain bool.
struct JpegReader {
  jpeg_decompress_struct codec{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf on_error{};
  char message[JMSG_LENGTH_MAX] = {};

  explicit JpegReader(const EncodedImage& file);
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&codec); }  // safe at any point, created or not
};

JpegReader& reader_of(j_common_ptr codec) { return *static_cast<JpegReader*>(codec->client_data); }

[[noreturn]] void fail_here(JpegReader& reader, const char* message) {
  std::snprintf(reader.message, sizeof(reader.message), "%s", message);
  std::longjmp(reader.on_error, 1);
}

extern "C" {

static void on_jpeg_error(j_common_ptr codec) {
  JpegReader& reader = reader_of(codec);
  reader.errors.format_message(codec, reader.message);
  std::longjmp(reader.on_error, 1);
}

static void ignore_message(j_common_ptr) {}

static void ignore_source(j_decompress_ptr) {}

static boolean on_source_empty(j_decompress_ptr) { return FALSE; }  // libjpeg gives up: truncated

static void skip_source(j_decompress_ptr codec, long count) {
  jpeg_source_mgr& source = *codec->src;
  const std::size_t wanted = count > 0 ? static_cast<std::size_t>(count) : 0;
  const std::size_t skipped = std::min(wanted, source.bytes_in_buffer);
  source.next_input_byte += skipped;
  source.bytes_in_buffer -= skipped;
}

/// A few bytes a scan can make libjpeg walk the whole picture again and again.
static void limit_scans(j_common_ptr codec) {
  constexpr int kMaxScans = 500;
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number > kMaxScans) {
    fail_here(reader_of(codec), "more than 500 progressive scans");
  }
}

}  // extern "C"

JpegReader::JpegReader(const EncodedImage& file) {
  codec.err = jpeg_std_error(&errors);
  codec.client_data = this;
  errors.error_exit = on_jpeg_error;
  errors.output_message = ignore_message;  // warnings: use what decodes, as PIL does
  source.next_input_byte = reinterpret_cast<const JOCTET*>(file.bytes.data());
  source.bytes_in_buffer = file.size();
  source.init_source = ignore_source;
  source.fill_input_buffer = on_source_empty;
  source.skip_input_data = skip_source;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = ignore_source;
  progress.progress_monitor = limit_scans;
}

/// Up to the first scan: sizes, colour space and the APP1 markers are known then.
bool read_header(JpegReader& reader) {
  if (setjmp(reader.on_error) != 0) return false;
  jpeg_create_decompress(&reader.codec);
  reader.codec.src = &reader.source;
  reader.codec.progress = &reader.progress;
  jpeg_save_markers(&reader.codec, JPEG_APP0 + 1, 0xFFFF);
  int status = JPEG_HEADER_TABLES_ONLY;
  while (status == JPEG_HEADER_TABLES_ONLY) status = jpeg_read_header(&reader.codec, FALSE);
  return status == JPEG_HEADER_OK;
}

/// Begins decoding; a progressive file is read to its end here.
bool start(JpegReader& reader) {
  if (setjmp(reader.on_error) != 0) return false;
  reader.codec.out_color_space = reader.codec.num_components == 4 ? JCS_CMYK : JCS_RGB;
  return jpeg_start_decompress(&reader.codec) == TRUE;
}

/// The next row, of width * output_components bytes.
bool read_row(JpegReader& reader, std::uint8_t* row) {
  if (setjmp(reader.on_error) != 0) return false;
  JSAMPROW rows[] = {row};
  return jpeg_read_scanlines(&reader.codec, rows, 1) == 1;
}

/// What follows the last row. Data that merely ends is fine; damage is not.
bool finish(JpegReader& reader) {
  if (setjmp(reader.on_error) != 0) return false;
  jpeg_finish_decompress(&reader.codec);
  return true;
}

void check_step(const EncodedImage& file, const JpegReader& reader, bool ok) {
  if (ok) return;
  const bool ended = reader.message[0] == '\0';
  file.fail("expected a whole JPEG, got ",
            ended ? "a truncated one" : "a damaged one: ", reader.message);
}

/// PIL's CMYK to RGB, on the inverted samples that Adobe's programs write (and everyone after
/// them).
void cmyk_to_rgb(const std::uint8_t* cmyk, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int key = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int scaled = (255 - cmyk[c]) * key + 128;
      rgb[c] = static_cast<std::uint8_t>(std::max(0, key - (((scaled >> 8) + scaled) >> 8)));
    }
  }
}

Image read_pixels(const EncodedImage& file, JpegReader& reader) {
  const auto width = static_cast<std::size_t>(reader.codec.image_width);
  const std::size_t height = reader.codec.image_height;
  Image image{static_cast<int>(width), static_cast<int>(height), {}};
  check_step(file, reader, start(reader));

  // Rows are added as they decode, so that a header that lies about the size costs no memory.
  image.pixels.reserve(3 * width * height);
  const bool cmyk = reader.codec.out_color_space == JCS_CMYK;
  std::vector<std::uint8_t> ink(cmyk ? 4 * width : 0);
  for (std::size_t y = 0; y < height; ++y) {
    image.pixels.resize(3 * width * (y + 1));
    std::uint8_t* row = image.pixels.data() + 3 * width * y;
    check_step(file, reader, read_row(reader, cmyk ? ink.data() : row));
    if (cmyk) cmyk_to_rgb(ink.data(), image.width, row);
  }
  check_step(file, reader, finish(reader));
  return image;
}

int find_orientation(const JpegReader& reader) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  int from_xmp = 0;
  for (auto* marker = reader.codec.marker_list; marker != nullptr; marker = marker->next) {
    const auto bytes = std::as_bytes(std::span(marker->data, marker->data_length));
    const std::string_view text(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (text.starts_with(kExif)) {
      if (const int orientation = exif_orientation(bytes)) return orientation;
    } else if (text.starts_with(kXmp)) {
      from_xmp = xmp_orientation(bytes);
    }
  }
  return from_xmp;
}

}  // namespace

Image decode_jpeg(const EncodedImage& file) {
  JpegReader reader(file);
  check_step(file, reader, read_header(reader));
  file.check_size(reader.codec.image_width, reader.codec.image_height);
  const int components = reader.codec.num_components;
  file.check(components == 1 || components == 3 || components == 4,
             "expected a JPEG of 1, 3 or 4 components, got ", components);
  const int orientation = file.options.apply_orientation ? find_orientation(reader) : 1;
  return orient(read_pixels(file, reader), orientation);  // decoding drops the markers
}

}  // namespace tokensieve

#else

namespace tokensieve {

Image decode_jpeg(const EncodedImage& file) {
  file.fail("tokensieve was built without JPEG; install libjpeg-turbo and build again");
}

}  // namespace tokensieve

#endif
