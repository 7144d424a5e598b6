#pragma once

#include <span>
#include <vector>

#include "tokensieve/viz/heatmap.h"

namespace tokensieve::drawing {

/// Which values a colour scale runs over.
struct ValueRange {
  bool empty = true;  ///< No value can be drawn.
  bool logarithmic = false;
  double low = 0.0;
  double high = 0.0;

  /// True for a value that has a colour.
  bool has(double value) const;
  /// Where a value lies between low (0) and high (1); 0.5 when they are the same.
  double position(double value) const;
  /// Round values strictly between low and high, ascending, about `wanted` or fewer.
  std::vector<double> round_values(int wanted) const;
};

/// 1, 2 or 5 times a power of ten, the smallest that is at least `step`, which is positive.
double round_step(double step);

ValueRange range_of(std::span<const float> values, ValueScale scale);

}  // namespace tokensieve::drawing
