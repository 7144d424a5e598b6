#include "tokensieve/io/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "codecs.h"
#include "resample.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

constexpr std::array<std::pair<std::string_view, Interpolation>, 3> kNames{{
    {"bilinear", Interpolation::bilinear},
    {"bicubic", Interpolation::bicubic},
    {"lanczos", Interpolation::lanczos},
}};

void check_box(const Box& box, int width, int height, std::string_view operation) {
  const bool inside = box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1 &&
                      box.width <= width - box.left && box.height <= height - box.top;
  check_argument(inside, "[", operation, "] expected a box inside ", width, " x ", height, ", got ",
                 box.width, " x ", box.height, " at (", box.left, ", ", box.top, ")");
}

void check_result(int width, int height, std::string_view operation) {
  const std::size_t limit = DecodeOptions{}.max_pixels;
  const bool ok = width >= 1 && height >= 1 &&
                  static_cast<std::size_t>(width) * static_cast<std::size_t>(height) <= limit;
  check_argument(ok, "[", operation, "] expected sides from 1 and at most ", limit, " pixels, got ",
                 width, " x ", height);
}

/// PIL's order of passes since version 13: along y first if that removes more than twice as many
/// rows as the other removes columns. Each pass rounds to 8 bits, so the order shows.
bool rows_come_first(const Image& image, int width, int height) {
  const std::int64_t rows_removed = std::int64_t{image.height} - height;
  const std::int64_t columns_removed = std::int64_t{image.width} - width;
  return rows_removed > 0 && rows_removed > 2 * columns_removed;
}

/// A canvas [height, width] of one colour with the image's upper left corner at (left, top) of it;
/// what reaches over the edge is cut off.
Image placed(const Image& image, int left, int top, int width, int height,
             std::array<std::uint8_t, 3> fill) {
  Image canvas{width, height, {}};
  canvas.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width) *
                       static_cast<std::size_t>(height));
  if (fill != std::array<std::uint8_t, 3>{}) {
    for (std::size_t i = 0; i < canvas.pixels.size(); ++i) canvas.pixels[i] = fill[i % 3];
  }
  const int x0 = std::max(left, 0);
  const int columns = std::min(left + image.width, width) - x0;
  for (int y = std::max(top, 0); y < std::min(top + image.height, height); ++y) {
    const std::ptrdiff_t from = std::ptrdiff_t{y - top} * image.width + (x0 - left);
    const std::ptrdiff_t to = std::ptrdiff_t{y} * width + x0;
    std::copy_n(image.pixels.begin() + 3 * from, 3 * columns, canvas.pixels.begin() + 3 * to);
  }
  return canvas;
}

/// Where a side of `have` pixels starts in one of `want`, as torchvision's CenterCrop has it.
int centered(int have, int want) {
  if (have < want) return (want - have) / 2;
  return -static_cast<int>(std::nearbyint((have - want) / 2.0));  // halves to even, as in Python
}

}  // namespace

std::string_view interpolation_name(Interpolation interpolation) {
  return kNames[static_cast<std::size_t>(interpolation)].first;
}

Interpolation parse_interpolation(std::string_view name) {
  for (const auto& [known, interpolation] : kNames) {
    if (known == name) return interpolation;
  }
  fail_argument("[parse_interpolation] expected bilinear, bicubic or lanczos, got '",
                printable(name), "'");
}

Image resize(const Image& image, int width, int height, Interpolation interpolation) {
  return resize(image, width, height, interpolation, {0, 0, width, height});
}

Image resize(const Image& image, int width, int height, Interpolation interpolation,
             const Box& window) {
  check_image(image, "resize");
  check_argument(width >= 1 && height >= 1, "[resize] expected sides from 1, got ", width, " x ",
                 height);
  check_box(window, width, height, "resize");
  check_result(window.width, window.height, "resize");

  // As PIL does: only along the sides that change.
  if (width == image.width && height == image.height) return crop(image, window);
  if (width == image.width) {
    const Image strip = crop(image, {window.left, 0, window.width, image.height});
    return resample_rows(strip, 0,
                         make_taps(interpolation, image.height, height, window.top, window.height));
  }
  const Taps columns = make_taps(interpolation, image.width, width, window.left, window.width);
  if (height == image.height) return resample_columns(image, window.top, window.height, columns);
  const Taps rows = make_taps(interpolation, image.height, height, window.top, window.height);
  if (rows_come_first(image, width, height)) {
    return resample_columns(resample_rows(image, 0, rows), 0, window.height, columns);
  }
  const int top = rows.first.front();
  const int bottom = rows.first.back() + rows.count.back();
  return resample_rows(resample_columns(image, top, bottom - top, columns), top, rows);
}

Image crop(const Image& image, const Box& box) {
  check_image(image, "crop");
  check_box(box, image.width, image.height, "crop");
  return placed(image, -box.left, -box.top, box.width, box.height, {0, 0, 0});
}

Image center_crop(const Image& image, int width, int height, std::array<std::uint8_t, 3> fill) {
  check_image(image, "center_crop");
  check_result(width, height, "center_crop");
  return placed(image, centered(image.width, width), centered(image.height, height), width, height,
                fill);
}

}  // namespace tokensieve
