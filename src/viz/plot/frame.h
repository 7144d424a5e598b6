#pragma once

#include "plot/axis.h"
#include "plot/scene.h"

namespace tokensieve::drawing {

/// Where the curves of a plot go and how values become places there.
struct Frame {
  Axis x;
  Axis y;
  double left = 0.0;
  double right = 0.0;
  double top = 0.0;
  double bottom = 0.0;

  Point at(double x_value, double y_value) const {
    return {left + x.position(x_value) * (right - left),
            bottom - y.position(y_value) * (bottom - top)};
  }
};

/// Adds grid lines, ticks with their values, and the x axis.
void add_axes(Scene& scene, const Frame& frame);

}  // namespace tokensieve::drawing
