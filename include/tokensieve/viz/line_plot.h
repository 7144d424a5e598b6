#pragma once

#include <span>
#include <string>
#include <vector>

#include "tokensieve/io/image.h"

namespace tokensieve {

/// How an axis runs. A logarithmic one leaves out what is not positive.
enum class AxisScale { linear, logarithmic };

/// How a series is drawn.
enum class SeriesStyle {
  /// A line through the points in their order, with a band from low to high. With more points than
  /// pixels it becomes the mean over a few pixels, with a band over all points.
  line,
  points,  ///< A line with markers, and an error bar from low to high.
};

/// One curve. A value that is not finite leaves a gap.
struct PlotSeries {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  ///< As many as x.
  /// Ends of an error range around y; both empty or both as many as y.
  std::vector<double> low;
  std::vector<double> high;
  SeriesStyle style = SeriesStyle::line;
  bool dashed = false;  ///< For a control or a reference.
};

/// Curves over one pair of axes: a metric over the steps of a training run, or accuracy over MACs.
struct LinePlot {
  std::string title;    ///< May be empty, as the labels may.
  std::string x_label;  ///< Under the x axis.
  std::string y_label;  ///< Above the y axis, level, so that it reads without turning the head.
  AxisScale x_scale = AxisScale::linear;
  AxisScale y_scale = AxisScale::linear;
  /// Colours (Okabe and Ito's, safe with every kind of colour blindness) go by the order; from the
  /// eighth on they repeat, dashed.
  std::vector<PlotSeries> series;
  int width = 720;  ///< Pixels of the SVG; 200 to 4000.
  int height = 420;
};

/// The plot as an SVG document. Names stand at the ends of their curves where these come far enough
/// to the right and keep enough distance, else in a legend on top. Throws invalid_argument if a
/// size is out of range, a series has columns of different lengths, or there is no point to draw.
std::string plot_svg(const LinePlot& plot);
/// Plots side by side in one document, the first one's title as its own. Also throws
/// invalid_argument for none.
std::string plot_svg(std::span<const LinePlot> plots);

/// The plot as a picture `magnify` times as large, 1 to 4. Letters beyond ASCII become '?'. Throws
/// invalid_argument as plot_svg does.
Image draw_plot(const LinePlot& plot, int magnify = 2);
/// Plots side by side in one picture. Throws invalid_argument as plot_svg does.
Image draw_plot(std::span<const LinePlot> plots, int magnify = 2);

}  // namespace tokensieve
