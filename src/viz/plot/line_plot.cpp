#include "tokensieve/viz/line_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "panel.h"
#include "plot/names.h"
#include "plot/series.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

namespace {

using namespace drawing;

constexpr double kMargin = 16.0;
constexpr double kPixelsPerXTick = 90.0;
constexpr double kPixelsPerYTick = 55.0;
constexpr double kWiden = 0.05;

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(AxisScale scale, double value) {
    if (!has_place(scale, value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

void check_plot(const LinePlot& plot) {
  check_argument(
      plot.width >= 200 && plot.width <= 4000 && plot.height >= 200 && plot.height <= 4000,
      "[line_plot] expected width and height from 200 to 4000, got ", plot.width, " and ",
      plot.height);
  for (const PlotSeries& series : plot.series) {
    check_argument(series.y.size() == series.x.size(), "[line_plot] expected as many y as x in '",
                   series.name, "', got ", series.y.size(), " and ", series.x.size());
    const bool none = series.low.empty() && series.high.empty();
    check_argument(
        none || (series.low.size() == series.x.size() && series.high.size() == series.x.size()),
        "[line_plot] expected low and high for each of the ", series.x.size(), " points in '",
        series.name, "' or none, got ", series.low.size(), " and ", series.high.size());
  }
}

/// What the points and their error ranges cover.
std::pair<Extent, Extent> extents(const LinePlot& plot) {
  Extent x, y;
  for (const PlotSeries& series : plot.series) {
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!has_place(plot.x_scale, series.x[i]) || !has_place(plot.y_scale, series.y[i])) continue;
      x.include(plot.x_scale, series.x[i]);
      y.include(plot.y_scale, series.y[i]);
      if (series.low.empty()) continue;
      y.include(plot.y_scale, series.low[i]);
      y.include(plot.y_scale, series.high[i]);
    }
  }
  check_argument(x.low <= x.high,
                 "[line_plot] expected a point with finite coordinates (and positive ones on a "
                 "logarithmic axis), got none");
  return {x, y};
}

/// The frame without room for names.
Frame plain_frame(const LinePlot& plot) {
  Frame frame;
  frame.top = kMargin + (plot.title.empty() ? 0.0 : 24.0) + (plot.y_label.empty() ? 4.0 : 20.0);
  frame.bottom = plot.height - kMargin - 20.0 - (plot.x_label.empty() ? 0.0 : 20.0);
  frame.right = plot.width - kMargin - 4.0;
  const auto [x, y] = extents(plot);
  // Markers are drawn whole; a line may begin and end at the edge.
  const bool markers = std::ranges::any_of(
      plot.series, [](const PlotSeries& series) { return series.style != SeriesStyle::line; });
  frame.y = make_axis(plot.y_scale, y.low, y.high, kWiden,
                      std::max(2, static_cast<int>((frame.bottom - frame.top) / kPixelsPerYTick)));
  double widest = 0.0;
  for (const Tick& tick : frame.y.ticks) {
    widest = std::max(widest, static_cast<double>(text_width(tick.text, Metrics{}.note())));
  }
  frame.left = kMargin + widest + 8.0;
  frame.x = make_axis(plot.x_scale, x.low, x.high, markers ? kWiden : 0.0,
                      std::max(2, static_cast<int>((frame.right - frame.left) / kPixelsPerXTick)));
  return frame;
}

Scene scene_of(const LinePlot& plot) {
  check_plot(plot);
  Scene scene{plot.width, plot.height, plot.title, {}};
  Frame frame = plain_frame(plot);
  const SeriesNames names(plot);

  Frame narrow = frame;
  narrow.right -= names.side_width();
  const bool beside = narrow.right - narrow.left > 0.55 * plot.width && names.fit_beside(narrow);
  const double legend_top = frame.top - (plot.y_label.empty() ? 4.0 : 20.0);
  const double width = frame.right - frame.left;
  if (beside) {
    frame = narrow;
  } else {
    const double legend = names.legend_height(width);
    frame.top += legend;
    // Many names make the picture taller, and not the plot in it flat.
    const int more = static_cast<int>(std::max(0.0, std::ceil(legend - plot.height / 4.0)));
    frame.bottom += more;
    scene.height += more;
  }

  const Metrics metrics;
  if (!plot.title.empty()) {
    scene.shapes.push_back(
        Caption{{kMargin, kMargin + metrics.title().cap_height}, plot.title, metrics.title()});
  }
  if (!beside) names.add_legend(scene, frame.left, legend_top, width);
  if (!plot.y_label.empty()) {
    scene.shapes.push_back(Caption{{kMargin, frame.top - 14.0}, plot.y_label, metrics.note()});
  }
  if (!plot.x_label.empty()) {
    scene.shapes.push_back(Caption{{(frame.left + frame.right) / 2, scene.height - kMargin},
                                   plot.x_label,
                                   metrics.note(),
                                   Anchor::middle});
  }
  add_axes(scene, frame);
  for (size_t i = 0; i < plot.series.size(); ++i) {
    add_error_ranges(scene, frame, plot.series[i], series_look(i, plot.series[i].dashed));
  }
  for (size_t i = 0; i < plot.series.size(); ++i) {
    add_curve(scene, frame, plot.series[i], series_look(i, plot.series[i].dashed));
  }
  if (beside) names.add_beside(scene, frame);
  return scene;
}

/// Shapes moved to the right.
void add_shifted(Scene& scene, const Scene& other, double by) {
  for (Shape shape : other.shapes) {
    if (auto* caption = std::get_if<Caption>(&shape)) caption->at.x += by;
    if (auto* line = std::get_if<Polyline>(&shape)) {
      for (Point& point : line->points) point.x += by;
    }
    if (auto* polygon = std::get_if<Polygon>(&shape)) {
      for (Point& point : polygon->points) point.x += by;
    }
    scene.shapes.push_back(std::move(shape));
  }
}

Scene scene_of(std::span<const LinePlot> plots) {
  check_argument(!plots.empty(), "[line_plot] expected a plot or more, got none");
  Scene scene{0, 0, plots.front().title, {}};
  for (const LinePlot& plot : plots) {
    const Scene panel = scene_of(plot);
    add_shifted(scene, panel, scene.width);
    scene.width += panel.width;
    scene.height = std::max(scene.height, panel.height);
  }
  return scene;
}

Image painted(const Scene& scene, int magnify) {
  check_argument(magnify >= 1 && magnify <= 4, "[line_plot] expected magnify from 1 to 4, got ",
                 magnify);
  return paint_scene(scene, magnify);
}

}  // namespace

std::string plot_svg(const LinePlot& plot) { return scene_svg(scene_of(plot)); }

std::string plot_svg(std::span<const LinePlot> plots) { return scene_svg(scene_of(plots)); }

Image draw_plot(const LinePlot& plot, int magnify) { return painted(scene_of(plot), magnify); }

Image draw_plot(std::span<const LinePlot> plots, int magnify) {
  return painted(scene_of(plots), magnify);
}

}  // namespace tokensieve
