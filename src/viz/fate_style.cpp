#include "fate_style.h"

#include <algorithm>
#include <cmath>

#include "picture.h"

namespace tokensieve::drawing {

namespace {
constexpr Color kHatchColor{86, 180, 233};  // Okabe and Ito's sky blue
}

void dim(cv::Mat3b& picture, const cv::Mat1b& mask) {
  const cv::Mat1b grey = luma(picture);
  picture.forEach([&](cv::Vec3b& p, const int* at) {
    if (mask(at[0], at[1]) == 0) return;
    const auto dark = static_cast<uint8_t>(14 + grey(at[0], at[1]) * 0.32);
    p = {dark, dark, dark};
  });
}

void fade(cv::Mat3b& picture, const cv::Mat1b& mask) {
  const cv::Mat1b grey = luma(picture);
  picture.forEach([&](cv::Vec3b& p, const int* at) {
    if (mask(at[0], at[1]) == 0) return;
    const auto pale = static_cast<uint8_t>(60 + grey(at[0], at[1]) * 0.5);
    p = {pale, pale, pale};
  });
}

void hatch(cv::Mat3b& picture, const cv::Mat1b& mask, double unit) {
  const double period = 7.0 * unit, half_line = 0.6 * unit;
  cv::Mat1b lines(picture.size(), uint8_t{0});
  lines.forEach([&](uint8_t& coverage, const int* at) {
    if (mask(at[0], at[1]) == 0) return;
    // Distance across a line that rises at 45 degrees, softened over one pixel.
    const double along = std::fmod(at[0] + at[1], period);
    const double distance = std::min(along, period - along) * std::sqrt(0.5);
    coverage = static_cast<uint8_t>(255.0 * std::clamp(half_line + 0.5 - distance, 0.0, 1.0));
  });
  tint(picture, lines, kHatchColor, 0.55);
}

}  // namespace tokensieve::drawing
