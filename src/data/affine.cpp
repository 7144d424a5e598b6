#include "tokensieve/data/affine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "checks.h"

namespace tokensieve {
namespace {

using Rgb = std::array<double, 3>;

/// The pixel at a place of the picture; outside of it the nearest one.
class Source {
 public:
  explicit Source(const Image& image) : image_(image) {}

  const std::uint8_t* operator()(int x, int y) const {
    const auto column = static_cast<std::size_t>(std::clamp(x, 0, image_.width - 1));
    const auto row = static_cast<std::size_t>(std::clamp(y, 0, image_.height - 1));
    return &image_.pixels[3 * (row * static_cast<std::size_t>(image_.width) + column)];
  }

 private:
  const Image& image_;
};

double linear(double a, double b, double t) { return a + (b - a) * t; }

/// PIL's bicubic between b and c (Keys' with -1); its order of operations decides the last bit.
double cubic(double a, double b, double c, double d, double t) {
  const double p2 = -a + c;
  const double p3 = 2 * (a - b) + c - d;
  const double p4 = -a + b - c + d;
  return b + t * (p2 + t * (p3 + t * p4));
}

/// The first pixel of a neighbourhood and how far past it the place is.
struct Place {
  int first;
  double t;
};

Place place_of(double at) {
  const double floor = std::floor(at - 0.5);
  return {static_cast<int>(floor), at - 0.5 - floor};
}

Rgb bilinear(const Source& source, Place x, Place y) {
  const auto row = [&](int at) {
    const std::uint8_t* a = source(x.first, at);
    const std::uint8_t* b = source(x.first + 1, at);
    return Rgb{linear(a[0], b[0], x.t), linear(a[1], b[1], x.t), linear(a[2], b[2], x.t)};
  };
  const Rgb a = row(y.first);
  if (y.t == 0.0) return a;
  const Rgb b = row(y.first + 1);
  return {linear(a[0], b[0], y.t), linear(a[1], b[1], y.t), linear(a[2], b[2], y.t)};
}

Rgb bicubic(const Source& source, Place x, Place y) {
  const auto row = [&](int at) {
    const std::uint8_t* b = source(x.first, at);
    if (x.t == 0.0) return Rgb{double(b[0]), double(b[1]), double(b[2])};
    const std::uint8_t* a = source(x.first - 1, at);
    const std::uint8_t* c = source(x.first + 1, at);
    const std::uint8_t* d = source(x.first + 2, at);
    Rgb out;
    for (std::size_t i = 0; i < 3; ++i) out[i] = cubic(a[i], b[i], c[i], d[i], x.t);
    return out;
  };
  const Rgb b = row(y.first);
  if (y.t == 0.0) return b;  // shears and shifts along x: one row is enough
  const Rgb a = row(y.first - 1);
  const Rgb c = row(y.first + 1);
  const Rgb d = row(y.first + 2);
  Rgb out;
  for (std::size_t i = 0; i < 3; ++i) out[i] = cubic(a[i], b[i], c[i], d[i], y.t);
  return out;
}

/// Rounded to 15 decimals, as Python's round(x, 15) does it: through the decimal text.
double rounded_to_15_decimals(double value) {
  char text[32];  // the value is a sine or cosine
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, 15);
  double rounded = 0.0;
  std::from_chars(text, end.ptr, rounded);
  return rounded;
}

}  // namespace

Image transform_affine(const Image& image, const std::array<double, 6>& matrix,
                       const Sampling& sampling) {
  check_pixels(image, "transform_affine");
  check_argument(sampling.interpolation != Interpolation::lanczos,
                 "[transform_affine] expected bilinear or bicubic, got lanczos");
  for (const double number : matrix) {
    check_argument(std::isfinite(number), "[transform_affine] expected a finite matrix, got ",
                   number);
  }
  const auto sample = sampling.interpolation == Interpolation::bilinear ? bilinear : bicubic;
  const auto& m = matrix;
  const Source source(image);
  Image out{image.width, image.height, {}};
  out.pixels.reserve(image.pixels.size());
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column) {
      const double x = m[0] * (column + 0.5) + m[1] * (row + 0.5) + m[2];
      const double y = m[3] * (column + 0.5) + m[4] * (row + 0.5) + m[5];
      if (x >= 0.0 && x < image.width && y >= 0.0 && y < image.height) {
        for (const double value : sample(source, place_of(x), place_of(y))) {
          out.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
        }
      } else {
        out.pixels.insert(out.pixels.end(), sampling.fill.begin(), sampling.fill.end());
      }
    }
  }
  return out;
}

Image rotate(const Image& image, double degrees, const Sampling& sampling) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360.0;
  const double angle = -(turn * (std::numbers::pi / 180.0));
  const double cosine = rounded_to_15_decimals(std::cos(angle));
  const double sine = rounded_to_15_decimals(std::sin(angle));
  const double x = image.width / 2.0;
  const double y = image.height / 2.0;
  const std::array<double, 6> matrix = {cosine, sine,   cosine * -x + sine * -y + x,
                                        -sine,  cosine, -sine * -x + cosine * -y + y};
  return transform_affine(image, matrix, sampling);
}

}  // namespace tokensieve
