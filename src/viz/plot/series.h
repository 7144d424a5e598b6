#pragma once

#include <optional>

#include "plot/frame.h"
#include "tokensieve/viz/line_plot.h"

namespace tokensieve::drawing {

/// How a series is told from the others.
struct SeriesLook {
  Color color;
  bool dashed = false;
  int corners = 0;  ///< Of its markers; 0: round.
};

/// Of the series of this number, which may ask for dashes itself.
SeriesLook series_look(size_t index, bool dashed = false);

/// Adds what lies under all curves: bands, error bars, and the spread of a line with more points
/// than pixels, which is drawn as a mean.
void add_error_ranges(Scene& scene, const Frame& frame, const PlotSeries& series,
                      const SeriesLook& look);

/// Adds the curve and its markers.
void add_curve(Scene& scene, const Frame& frame, const PlotSeries& series, const SeriesLook& look);

/// The right end of a curve: of a line its last point, of markers the rightmost. None without
/// points.
std::optional<Point> curve_end(const Frame& frame, const PlotSeries& series);

/// Adds a sample of the look, as wide as kSampleWidth, around the height `at.y`.
void add_sample(Scene& scene, Point at, SeriesStyle style, const SeriesLook& look);
inline constexpr double kSampleWidth = 18.0;

}  // namespace tokensieve::drawing
