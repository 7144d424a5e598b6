#include "plot/axis.h"

#include <algorithm>
#include <cmath>

#include "number_text.h"
#include "value_range.h"

namespace tokensieve::drawing {

namespace {

constexpr double kLargest = 1e300;  // sums and differences of two values stay finite
constexpr double kSlack = 1e-9;     // of a step: a tick that rounding puts beside the end is kept

struct Unit {
  double size;
  std::string_view name;
};

/// Thousands, millions and so on once numbers get long.
Unit unit_of(double largest) {
  constexpr Unit kUnits[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const Unit& unit : kUnits) {
    if (largest >= 10.0 * unit.size || (unit.size > 1e3 && largest >= unit.size)) return unit;
  }
  return {1.0, ""};
}

/// "1e-05" as "1e-5".
std::string short_number(double value) {
  std::string text = number_text(value, 6);
  const size_t e = text.find('e');
  if (e == text.npos) return text;
  size_t digits = e + 2;
  while (digits + 1 < text.size() && text[digits] == '0') text.erase(digits, 1);
  if (text[e + 1] == '+') text.erase(e + 1, 1);
  return text;
}

std::vector<Tick> linear_ticks(double low, double high, int wanted) {
  const double step = round_step(0.7 * (high - low) / wanted);  // the nearest, not the next
  const double first = std::ceil(low / step - kSlack);
  const double last = std::floor(high / step + kSlack);
  const Unit unit = unit_of(std::max(std::abs(low), std::abs(high)));
  const double shown_step = step / unit.size;
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(shown_step) + kSlack)));
  std::vector<Tick> ticks;
  for (int i = 0; i <= static_cast<int>(last - first); ++i) {
    const double value = (first + i) * step + 0.0;  // no negative zero
    const bool plain = decimals <= 4 && std::abs(value) < 1e15;
    std::string text = value == 0.0 ? "0"
                       : plain      ? fixed_text(value / unit.size, decimals)
                                    : short_number(value);
    if (plain && value != 0.0) text += unit.name;
    ticks.push_back({value, std::move(text)});
  }
  return ticks;
}

/// digit * 10^exponent: "0.005", "20", "5k", "2e-5".
std::string power_text(double digit, int exponent) {
  if (exponent < -3 || exponent > 14) return number_text(digit) + "e" + std::to_string(exponent);
  const double value = digit * std::pow(10.0, exponent);
  if (exponent < 4) return number_text(value, 6);
  const Unit unit = unit_of(10.0 * value);
  return number_text(value / unit.size, 6) + std::string(unit.name);
}

std::vector<Tick> logarithmic_ticks(double low, double high, int wanted) {
  std::vector<Tick> ticks;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  const bool between = last - first <= 3;  // 2 and 5 too
  const int stride = std::max(1, (last - first + wanted - 1) / wanted);
  for (int exponent = first; exponent <= last; exponent += stride) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, exponent);
      if (digit > 1.0 && !between) break;
      if (value >= low * (1 - kSlack) && value <= high * (1 + kSlack)) {
        ticks.push_back({value, power_text(digit, exponent)});
      }
    }
  }
  return ticks;
}

}  // namespace

double Axis::position(double value) const {
  if (scale == AxisScale::linear) return (value - low) / (high - low);
  return std::log(value / low) / std::log(high / low);
}

bool has_place(AxisScale scale, double value) {
  return std::isfinite(value) && std::abs(value) <= kLargest &&
         (scale == AxisScale::linear || value >= 1.0 / kLargest);
}

Axis make_axis(AxisScale scale, double low, double high, double widen, int wanted) {
  Axis axis{scale, low, high, {}};
  if (scale == AxisScale::logarithmic) {
    if (high < low * 1.01) {
      axis.low = low / 1.5;
      axis.high = high * 1.5;
    } else {
      const double factor = std::pow(high / low, widen);
      axis.low = low / factor;
      axis.high = high * factor;
    }
    axis.ticks = logarithmic_ticks(axis.low, axis.high, wanted);
    if (axis.ticks.size() < 2) axis.ticks = linear_ticks(axis.low, axis.high, wanted);
    return axis;
  }
  // One value: room on both sides, so that it lies in the middle.
  const double least = std::max(std::abs(high), std::abs(low)) * 1e-9;
  const double length = high - low > least ? high - low : 0.0;
  const double room = length > 0.0 ? widen * length : std::max(std::abs(low) * 0.1, 1e-6);
  axis.low = low >= 0.0 && low < room && length > 0.0 ? 0.0 : low - room;
  axis.high = high <= 0.0 && -high < room && length > 0.0 ? 0.0 : high + room;
  axis.ticks = linear_ticks(axis.low, axis.high, wanted);
  return axis;
}

}  // namespace tokensieve::drawing
