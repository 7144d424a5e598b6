#include "value_range.h"

#include <algorithm>
#include <cmath>

namespace tokensieve::drawing {

namespace {

constexpr double kLogarithmicFrom = 10.0;  // largest value over median

/// The values a linear scale could draw, ascending.
std::vector<float> sorted_finite(std::span<const float> values) {
  std::vector<float> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](float v) { return std::isfinite(v); });
  std::sort(finite.begin(), finite.end());
  return finite;
}

}  // namespace

double round_step(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= step * (1.0 - 1e-9)) return digit * power;
  }
  return 10.0 * power;
}

bool ValueRange::has(double value) const {
  return !empty && std::isfinite(value) && (!logarithmic || value > 0.0);
}

double ValueRange::position(double value) const {
  if (low == high) return 0.5;
  return logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

std::vector<double> ValueRange::round_values(int wanted) const {
  std::vector<double> values;
  if (empty || low == high) return values;
  if (logarithmic && high / low >= 10.0) {
    // Powers of ten, with every second or more left out when there are too many.
    const int first = static_cast<int>(std::ceil(std::log10(low)));
    const int last = static_cast<int>(std::floor(std::log10(high)));
    const int stride = std::max(1, (last - first + wanted) / wanted);
    for (int exponent = first; exponent <= last; exponent += stride) {
      values.push_back(std::pow(10.0, exponent));
    }
  } else {
    const double step = round_step((high - low) / wanted);
    const double first = std::ceil(low / step);
    for (int i = 0; i <= wanted; ++i) values.push_back((first + i) * step);
  }
  std::erase_if(values, [this](double v) { return v <= low || v >= high; });
  return values;
}

ValueRange range_of(std::span<const float> values, ValueScale scale) {
  const std::vector<float> finite = sorted_finite(values);
  if (finite.empty()) return {};
  const auto positive = std::upper_bound(finite.begin(), finite.end(), 0.0f);
  const double median = finite[finite.size() / 2];
  const bool spread = positive == finite.begin() && finite.back() >= kLogarithmicFrom * median;

  ValueRange range{false,
                   scale == ValueScale::logarithmic || (scale == ValueScale::automatic && spread),
                   finite.front(), finite.back()};
  if (range.logarithmic) {
    if (positive == finite.end()) return {};
    range.low = *positive;
  }
  return range;
}

}  // namespace tokensieve::drawing
