#include "resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

// PIL resamples 8-bit pictures in fixed point: integer weights with 22 fractional bits, a sum that
// starts at one half, and a result cut to 8 bits after each of its two passes, along x and then y.
// Integer sums do not depend on their order, so the loops below are free to go 48 bytes at a time.

// The same loops for wider registers, chosen when the program starts: AVX2 has the 32-bit multiply
// that plain x86-64 lacks. Sanitizers are not ready that early.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOKENSIEVE_WIDE_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define TOKENSIEVE_WIDE_CLONES
#endif

namespace tokensieve {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr std::size_t kRows = 16;          // rows of one transposed band
constexpr std::size_t kLanes = 3 * kRows;  // bytes summed at a time

struct Filter {
  double (*value)(double);
  double support;
};

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0; }

Filter make_filter(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::bilinear:
      return {bilinear, 1.0};
    case Interpolation::bicubic:
      return {bicubic, 2.0};
    case Interpolation::lanczos:
      return {lanczos, 3.0};
  }
  return {bicubic, 2.0};
}

std::int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/// Sums `count` runs of `lanes` bytes, `stride` apart, each times its weight. Inlined with a
/// constant `lanes`, the sums stay in registers.
[[gnu::always_inline]] inline void weighted_sum(const std::uint8_t* source, std::size_t stride,
                                                const std::int32_t* weights, int count,
                                                std::size_t lanes, std::uint8_t* out) {
  std::int32_t sums[kLanes];
  for (std::size_t i = 0; i < lanes; ++i) sums[i] = 1 << (kPrecisionBits - 1);
  for (int k = 0; k < count; ++k, source += stride) {
    for (std::size_t i = 0; i < lanes; ++i) sums[i] += weights[k] * source[i];
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    out[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> kPrecisionBits, 0, 255));
  }
}

/// Along x, for kRows rows at once: `band` is [input width, 3, kRows], `out` [taps.size(), 3,
/// kRows].
TOKENSIEVE_WIDE_CLONES
void resample_band(const std::uint8_t* band, const Taps& taps, std::uint8_t* out) {
  for (std::size_t x = 0; x < taps.size(); ++x) {
    weighted_sum(band + kLanes * static_cast<std::size_t>(taps.first[x]), kLanes,
                 &taps.weights[taps.offset[x]], taps.count[x], kLanes, out + kLanes * x);
  }
}

/// Along y: one output row of `bytes` bytes from `count` input rows.
TOKENSIEVE_WIDE_CLONES
void resample_row(const std::uint8_t* first, std::size_t bytes, const std::int32_t* weights,
                  int count, std::uint8_t* out) {
  const std::size_t whole = bytes - bytes % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    weighted_sum(first + i, bytes, weights, count, kLanes, out + i);
  }
  weighted_sum(first + whole, bytes, weights, count, bytes - whole, out + whole);
}

using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// Transposes 16 x 16 bytes: four times, bytes of row i are dealt out in turn with row i + 8's.
void transpose_block(const std::uint8_t* from, std::size_t from_stride, std::uint8_t* to,
                     std::size_t to_stride) {
  Bytes16 rows[16];
  for (std::size_t i = 0; i < 16; ++i) std::memcpy(&rows[i], from + i * from_stride, 16);
  for (int round = 0; round < 4; ++round) {
    Bytes16 dealt[16];
    for (std::size_t i = 0; i < 8; ++i) {
      const Bytes16 a = rows[i];
      const Bytes16 b = rows[i + 8];
      dealt[2 * i] =
          __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      dealt[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                                 14, 30, 15, 31);
    }
    std::copy_n(dealt, 16, rows);
  }
  for (std::size_t i = 0; i < 16; ++i) std::memcpy(to + i * to_stride, &rows[i], 16);
}

/// [height, width] bytes to [width, height]; strides are the distances of rows.
void transpose(const std::uint8_t* from, std::size_t from_stride, std::size_t height,
               std::size_t width, std::uint8_t* to, std::size_t to_stride) {
  const std::size_t whole_rows = height - height % 16;
  const std::size_t whole_columns = width - width % 16;
  for (std::size_t y = 0; y < whole_rows; y += 16) {
    for (std::size_t x = 0; x < whole_columns; x += 16) {
      transpose_block(from + y * from_stride + x, from_stride, to + x * to_stride + y, to_stride);
    }
  }
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = y < whole_rows ? whole_columns : 0; x < width; ++x) {
      to[x * to_stride + y] = from[y * from_stride + x];
    }
  }
}

Image make_image(std::size_t width, std::size_t height) {
  return {static_cast<int>(width), static_cast<int>(height),
          std::vector<std::uint8_t>(3 * width * height)};
}

}  // namespace

Taps make_taps(Interpolation interpolation, int input, int output, int begin, int size) {
  const Filter filter = make_filter(interpolation);
  const double scale = static_cast<double>(input) / output;
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double inverse = 1.0 / filter_scale;
  Taps taps;
  std::vector<double> values;
  for (int i = begin; i < begin + size; ++i) {
    const double center = (i + 0.5) * scale;
    // PIL rounds so.  NOLINTBEGIN(bugprone-incorrect-roundings)
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = std::min(static_cast<int>(center + support + 0.5), input);
    // NOLINTEND(bugprone-incorrect-roundings)
    values.clear();
    double total = 0.0;
    for (int x = first; x < end; ++x) {
      values.push_back(filter.value((x - center + 0.5) * inverse));
      total += values.back();
    }
    taps.first.push_back(first);
    taps.count.push_back(end - first);
    taps.offset.push_back(taps.weights.size());
    for (const double value : values) {
      taps.weights.push_back(to_fixed(total != 0.0 ? value / total : value));
    }
  }
  return taps;
}

Image resample_columns(const Image& image, int top, int height, const Taps& columns) {
  const std::size_t from_bytes = std::size_t{3} * static_cast<std::size_t>(image.width);
  const std::size_t to_bytes = 3 * columns.size();
  const auto rows = static_cast<std::size_t>(height);
  Image out = make_image(columns.size(), rows);
  std::vector<std::uint8_t> band(from_bytes * kRows);
  std::vector<std::uint8_t> resampled(to_bytes * kRows);
  const std::uint8_t* source = image.pixels.data() + from_bytes * static_cast<std::size_t>(top);
  for (std::size_t y = 0; y < rows; y += kRows) {
    const std::size_t count = std::min(kRows, rows - y);
    transpose(source + y * from_bytes, from_bytes, count, from_bytes, band.data(), kRows);
    resample_band(band.data(), columns, resampled.data());
    transpose(resampled.data(), kRows, to_bytes, count, &out.pixels[y * to_bytes], to_bytes);
  }
  return out;
}

Image resample_rows(const Image& image, int top, const Taps& rows) {
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(image.width);
  Image out = make_image(static_cast<std::size_t>(image.width), rows.size());
  for (std::size_t y = 0; y < rows.size(); ++y) {
    const auto first = static_cast<std::size_t>(rows.first[y] - top);
    resample_row(&image.pixels[first * bytes], bytes, &rows.weights[rows.offset[y]], rows.count[y],
                 &out.pixels[y * bytes]);
  }
  return out;
}

}  // namespace tokensieve
