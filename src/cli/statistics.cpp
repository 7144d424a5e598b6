#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tokensieve::cli {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

}  // namespace

Interval wilson_interval(int64_t hits, int64_t count) {
  const auto n = static_cast<double>(count);
  const double p = static_cast<double>(hits) / n;
  const double scale = 1.0 / (1.0 + kZ * kZ / n);
  const double middle = scale * (p + kZ * kZ / (2.0 * n));
  const double half = scale * kZ * std::sqrt(p * (1.0 - p) / n + kZ * kZ / (4.0 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Interval paired_interval(int64_t gained, int64_t lost, int64_t count) {
  const double b = static_cast<double>(gained) + 0.5;
  const double c = static_cast<double>(lost) + 0.5;
  const double n = static_cast<double>(count) + 2.0;
  const double middle = (b - c) / n;
  const double half = kZ * std::sqrt(std::max(0.0, b + c - (b - c) * (b - c) / n)) / n;
  return {std::max(-1.0, middle - half), std::min(1.0, middle + half)};
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - std::floor(place));
}

Interval quartiles(std::vector<double> values) {
  return {quantile(values, 0.25), quantile(values, 0.75)};
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

}  // namespace tokensieve::cli
