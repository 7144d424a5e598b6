#pragma once

#include <optional>
#include <vector>

#include "plot/frame.h"
#include "tokensieve/viz/line_plot.h"

namespace tokensieve::drawing {

/// The names of a plot's curves: at their right ends, or in a legend on top.
class SeriesNames {
 public:
  explicit SeriesNames(const LinePlot& plot);

  /// Width that names at the curves' ends take right of the frame, gap included.
  double side_width() const;
  /// Height of the legend for a frame of this width.
  double legend_height(double width) const;

  /// Whether each curve comes close enough to the right edge for its name, the curves are apart
  /// there, and no name has to move far to keep clear of the others.
  bool fit_beside(const Frame& frame) const;

  void add_beside(Scene& scene, const Frame& frame) const;
  /// Lines of names from left to right, the first line's top at `top`.
  void add_legend(Scene& scene, double left, double top, double width) const;

 private:
  struct Name {
    size_t series;
    double width;
  };
  struct Place {
    size_t series;
    Point end;  ///< Of the curve.
    double y;   ///< Of the name.
  };

  std::optional<std::vector<Place>> places(const Frame& frame) const;

  const LinePlot& plot_;
  std::vector<Name> names_;  ///< Of series that have one.
};

}  // namespace tokensieve::drawing
