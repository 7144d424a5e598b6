#include "tokensieve/data/pixel_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

#include "checks.h"

namespace tokensieve {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::uint8_t clipped(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

/// `value(v)` for each of the 256 values.
template <typename Value>
Table make_table(Value value) {
  Table table;
  for (int v = 0; v < 256; ++v) table[static_cast<std::size_t>(v)] = clipped(value(v));
  return table;
}

void look_up(Image& image, const std::array<Table, 3>& tables) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) image.pixels[i + c] = tables[c][image.pixels[i + c]];
  }
}

void look_up(Image& image, const Table& table) {
  for (std::uint8_t& value : image.pixels) value = table[value];
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> counts{};
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) ++counts[c][image.pixels[i + c]];
  }
  return counts;
}

/// PIL's conversion to mode L.
std::uint8_t luma(const std::uint8_t* rgb) {
  const std::uint32_t weighted = rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U;
  return static_cast<std::uint8_t>((weighted + 0x8000U) >> 16);
}

/// PIL's Image.blend: float32, cut and not rounded.
std::uint8_t blend(int from, int to, float alpha) {
  const float value = static_cast<float>(from) + alpha * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
}

float checked_factor(const Image& image, double factor, std::string_view operation) {
  check_pixels(image, operation);
  check_argument(std::isfinite(factor) && factor >= 0, "[", operation,
                 "] expected a factor of 0 or more, got ", factor);
  return static_cast<float>(factor);
}

Table autocontrast_table(const Histogram& counts) {
  const auto used = [](std::int64_t count) { return count > 0; };
  const auto low = std::ranges::find_if(counts, used) - counts.begin();
  const auto high = 255 - (std::find_if(counts.rbegin(), counts.rend(), used) - counts.rbegin());
  if (high <= low) return make_table([](int v) { return v; });
  const double scale = 255.0 / static_cast<double>(high - low);
  const double offset = -static_cast<double>(low) * scale;
  return make_table([&](int v) { return static_cast<int>(v * scale + offset); });
}

Table equalize_table(const Histogram& counts) {
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const auto last =
      std::find_if(counts.rbegin(), counts.rend(), [](std::int64_t count) { return count > 0; });
  const std::int64_t step = (total - *last) / 255;
  if (step == 0) return make_table([](int v) { return v; });
  std::int64_t below = step / 2;
  return make_table([&](int v) {
    const std::int64_t level = below / step;
    below += counts[static_cast<std::size_t>(v)];
    return static_cast<int>(std::min<std::int64_t>(level, 255));
  });
}

/// A table a channel, each made of the channel's histogram.
void look_up_by_histogram(Image& image, Table (*table)(const Histogram&)) {
  const std::array<Histogram, 3> counts = histograms(image);
  look_up(image, {table(counts[0]), table(counts[1]), table(counts[2])});
}

/// PIL's ImageFilter.SMOOTH: (1 1 1, 1 5 1, 1 1 1) / 13; the outermost pixels stay as they are. PIL
/// sums in float32; whole numbers give the same, since no sum is halfway between two results.
Image smooth(const Image& image) {
  Image out = image;
  const std::ptrdiff_t row = std::ptrdiff_t{3} * image.width;
  for (int y = 1; y + 1 < image.height; ++y) {
    const std::uint8_t* in = image.pixels.data() + y * row;
    std::uint8_t* to = out.pixels.data() + y * row;
    for (std::ptrdiff_t i = 3; i + 3 < row; ++i) {
      const auto across = [&](std::ptrdiff_t at) { return in[at - 3] + in[at] + in[at + 3]; };
      const int sum = across(i - row) + across(i) + across(i + row) + 4 * in[i];
      to[i] = static_cast<std::uint8_t>((2 * sum + 13) / 26);
    }
  }
  return out;
}

}  // namespace

Image flip_horizontally(Image image) {
  check_pixels(image, "flip_horizontally");
  const std::ptrdiff_t row = std::ptrdiff_t{3} * image.width;
  for (auto at = image.pixels.begin(); at != image.pixels.end(); at += row) {
    std::reverse(at, at + row);  // the channels of a pixel too, which are then put right
    for (std::ptrdiff_t i = 0; i < row; i += 3) std::swap(at[i], at[i + 2]);
  }
  return image;
}

Image autocontrast(Image image) {
  check_pixels(image, "autocontrast");
  look_up_by_histogram(image, autocontrast_table);
  return image;
}

Image equalize(Image image) {
  check_pixels(image, "equalize");
  look_up_by_histogram(image, equalize_table);
  return image;
}

Image invert(Image image) {
  check_pixels(image, "invert");
  look_up(image, make_table([](int v) { return 255 - v; }));
  return image;
}

Image posterize(Image image, int bits) {
  check_pixels(image, "posterize");
  check_argument(bits >= 0 && bits <= 8, "[posterize] expected 0 to 8 bits, got ", bits);
  const int mask = 0xFF00 >> bits & 0xFF;
  look_up(image, make_table([&](int v) { return v & mask; }));
  return image;
}

Image solarize(Image image, int threshold) {
  check_pixels(image, "solarize");
  look_up(image, make_table([&](int v) { return v < threshold ? v : 255 - v; }));
  return image;
}

Image solarize_add(Image image, int amount) {
  check_pixels(image, "solarize_add");
  check_argument(amount >= 0 && amount <= 255, "[solarize_add] expected 0 to 255, got ", amount);
  look_up(image, make_table([&](int v) { return v < 128 ? v + amount : v; }));
  return image;
}

Image adjust_brightness(Image image, double factor) {
  const float alpha = checked_factor(image, factor, "adjust_brightness");
  look_up(image, make_table([&](int v) { return blend(0, v, alpha); }));
  return image;
}

Image adjust_contrast(Image image, double factor) {
  const float alpha = checked_factor(image, factor, "adjust_contrast");
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) sum += luma(&image.pixels[i]);
  const double mean = static_cast<double>(sum) / static_cast<double>(image.pixels.size() / 3);
  const int grey = static_cast<int>(mean + 0.5);  // NOLINT(bugprone-incorrect-roundings): PIL's
  look_up(image, make_table([&](int v) { return blend(grey, v, alpha); }));
  return image;
}

Image adjust_color(Image image, double factor) {
  const float alpha = checked_factor(image, factor, "adjust_color");
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const std::uint8_t grey = luma(&image.pixels[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[i + c] = blend(grey, image.pixels[i + c], alpha);
    }
  }
  return image;
}

Image adjust_sharpness(Image image, double factor) {
  const float alpha = checked_factor(image, factor, "adjust_sharpness");
  const Image smoothed = smooth(image);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = blend(smoothed.pixels[i], image.pixels[i], alpha);
  }
  return image;
}

}  // namespace tokensieve
