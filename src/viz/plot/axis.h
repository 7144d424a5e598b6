#pragma once

#include <string>
#include <vector>

#include "tokensieve/viz/line_plot.h"

namespace tokensieve::drawing {

/// A round value of an axis and how it is written.
struct Tick {
  double value = 0.0;
  std::string text;
};

/// Values from one end of a plot to the other.
struct Axis {
  AxisScale scale = AxisScale::linear;
  double low = 0.0;
  double high = 1.0;
  std::vector<Tick> ticks;  ///< Ascending, all between low and high.

  /// Where a value lies between low (0) and high (1).
  double position(double value) const;
};

/// True for a value that has a place on such an axis.
bool has_place(AxisScale scale, double value);

/// An axis over [low, high], which have places, widened by this share of its length at both ends
/// (to zero at most, from either side), with about `wanted` ticks.
Axis make_axis(AxisScale scale, double low, double high, double widen, int wanted);

}  // namespace tokensieve::drawing
