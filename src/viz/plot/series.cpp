#include "plot/series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace tokensieve::drawing {

namespace {

constexpr double kLine = 1.9;
constexpr double kMarker = 4.0;  // radius
constexpr double kBandOpacity = 0.18;
constexpr double kRim = 1.0;
constexpr double kDense = 1.5;      // points a pixel
constexpr double kMeanWidth = 4.0;  // pixels

using Run = std::vector<Point>;

/// The points that have a place, in pieces between those that have none.
std::vector<Run> runs(const Frame& frame, const std::vector<double>& x,
                      const std::vector<double>& y) {
  std::vector<Run> found(1);
  for (size_t i = 0; i < x.size(); ++i) {
    if (has_place(frame.x.scale, x[i]) && has_place(frame.y.scale, y[i])) {
      found.back().push_back(frame.at(x[i], y[i]));
    } else if (!found.back().empty()) {
      found.emplace_back();
    }
  }
  if (found.back().empty()) found.pop_back();
  return found;
}

/// The points of one column of pixels.
struct Column {
  Point lowest;
  Point highest;
  Point mean;
};

std::vector<Column> columns(const Run& run, double width) {
  std::vector<Column> out;
  for (size_t first = 0, last = 0; first < run.size(); first = last) {
    Column column{run[first], run[first], {}};
    for (last = first; last < run.size() && run[last].x < run[first].x + width; ++last) {
      const Point point = run[last];
      if (point.y > column.lowest.y) column.lowest = point;  // y grows downwards
      if (point.y < column.highest.y) column.highest = point;
      column.mean = {column.mean.x + point.x, column.mean.y + point.y};
    }
    const auto count = static_cast<double>(last - first);
    column.mean = {column.mean.x / count, column.mean.y / count};
    out.push_back(column);
  }
  return out;
}

/// Whether a run has more points than a line can show, such as a metric of every step.
bool is_dense(const Run& run) {
  return run.size() > 100 &&
         static_cast<double>(run.size()) > kDense * (run.back().x - run.front().x) &&
         std::ranges::is_sorted(run, {}, &Point::x);
}

/// The line that is drawn for a run: of a dense one the means of a few pixels.
Run line_of(const Run& run) {
  if (!is_dense(run)) return run;
  Run line;
  for (const Column& column : columns(run, kMeanWidth)) line.push_back(column.mean);
  line.front().x = run.front().x;
  line.back().x = run.back().x;
  return line;
}

/// The outline between the low points of one run and the high ones of another.
Run outline(const Run& low, const Run& high) {
  if (!is_dense(low)) {
    Run all = low;
    all.insert(all.end(), high.rbegin(), high.rend());
    return all;
  }
  Run all, back;
  for (const Column& column : columns(low, 1.0)) all.push_back(column.lowest);
  for (const Column& column : columns(high, 1.0)) back.push_back(column.highest);
  all.insert(all.end(), back.rbegin(), back.rend());
  return all;
}

/// A round or cornered marker. Cornered ones stand on a side and are made larger, so that all cover
/// about the same area.
Run marker(Point at, double radius, int corners) {
  const int count = corners > 0 ? corners : 32;
  const double size = radius * (corners == 3 ? 1.35 : corners == 4 ? 1.2 : 1.0);
  const double turn = corners == 4 ? std::numbers::pi / 4 : 0.0;
  Run points;
  for (int i = 0; i < count; ++i) {
    const double angle = turn + 2 * std::numbers::pi * i / count;
    points.push_back({at.x + size * std::sin(angle), at.y - size * std::cos(angle)});
  }
  return points;
}

void add_marker(Scene& scene, Point at, const SeriesLook& look, double opacity = 1.0) {
  if (opacity == 1.0) {
    scene.shapes.push_back(Polygon{marker(at, kMarker + kRim, look.corners), Color{255, 255, 255}});
  }
  scene.shapes.push_back(Polygon{marker(at, kMarker, look.corners), look.color, opacity});
}

void add_line(Scene& scene, Run points, const SeriesLook& look) {
  scene.shapes.push_back(Polyline{std::move(points), look.color, kLine, 1.0, look.dashed});
}

void add_band(Scene& scene, const Frame& frame, const PlotSeries& series, const SeriesLook& look) {
  // All three of a point have a place, or none counts.
  std::vector<double> low = series.low, high = series.high;
  for (size_t i = 0; i < low.size(); ++i) {
    const bool all = has_place(frame.y.scale, series.y[i]) && has_place(frame.y.scale, low[i]) &&
                     has_place(frame.y.scale, high[i]);
    if (!all) low[i] = high[i] = std::numeric_limits<double>::quiet_NaN();
  }
  const std::vector<Run> below = runs(frame, series.x, low);
  const std::vector<Run> above = runs(frame, series.x, high);
  for (size_t i = 0; i < below.size(); ++i) {
    scene.shapes.push_back(Polygon{outline(below[i], above[i]), look.color, kBandOpacity});
  }
}

void add_error_bars(Scene& scene, const Frame& frame, const PlotSeries& series,
                    const SeriesLook& look) {
  for (size_t i = 0; i < series.low.size(); ++i) {
    if (!has_place(frame.x.scale, series.x[i]) || !has_place(frame.y.scale, series.low[i]) ||
        !has_place(frame.y.scale, series.high[i])) {
      continue;
    }
    const Point low = frame.at(series.x[i], series.low[i]);
    const Point high = frame.at(series.x[i], series.high[i]);
    scene.shapes.push_back(Polyline{{low, high}, look.color, 1.1, 0.6});
    for (const Point end : {low, high}) {
      scene.shapes.push_back(
          Polyline{{{end.x - 3.0, end.y}, {end.x + 3.0, end.y}}, look.color, 1.1, 0.6});
    }
  }
}

}  // namespace

SeriesLook series_look(size_t index, bool dashed) {
  constexpr std::array<Color, 7> kColors = {{{0, 114, 178},
                                             {213, 94, 0},
                                             {0, 158, 115},
                                             {204, 121, 167},
                                             {230, 159, 0},
                                             {86, 180, 233},
                                             {40, 40, 40}}};
  constexpr std::array<int, 3> kCorners = {0, 4, 3};
  const bool repeated = index / kColors.size() % 2 == 1;
  return {kColors[index % kColors.size()], dashed || repeated, kCorners[index % kCorners.size()]};
}

void add_error_ranges(Scene& scene, const Frame& frame, const PlotSeries& series,
                      const SeriesLook& look) {
  if (series.style != SeriesStyle::line) {
    add_error_bars(scene, frame, series, look);
  } else if (!series.low.empty()) {
    add_band(scene, frame, series, look);
  } else {
    for (const Run& run : runs(frame, series.x, series.y)) {
      if (!is_dense(run)) continue;
      scene.shapes.push_back(Polygon{outline(run, run), look.color, kBandOpacity});
    }
  }
}

void add_curve(Scene& scene, const Frame& frame, const PlotSeries& series, const SeriesLook& look) {
  const std::vector<Run> found = runs(frame, series.x, series.y);
  for (const Run& run : found) {
    // A point between two gaps would be a line without length.
    if (run.size() == 1 && series.style == SeriesStyle::line) add_marker(scene, run[0], look);
    if (run.size() > 1) add_line(scene, line_of(run), look);
  }
  if (series.style != SeriesStyle::points) return;
  for (const Run& run : found) {
    for (const Point point : run) add_marker(scene, point, look);
  }
}

std::optional<Point> curve_end(const Frame& frame, const PlotSeries& series) {
  const std::vector<Run> found = runs(frame, series.x, series.y);
  if (found.empty()) return std::nullopt;
  if (series.style == SeriesStyle::line) return line_of(found.back()).back();
  Point end = found[0][0];
  for (const Run& run : found) {
    for (const Point point : run) end = point.x >= end.x ? point : end;
  }
  return end;
}

void add_sample(Scene& scene, Point at, SeriesStyle style, const SeriesLook& look) {
  add_line(scene, {at, {at.x + kSampleWidth, at.y}}, look);
  if (style != SeriesStyle::line) add_marker(scene, {at.x + kSampleWidth / 2, at.y}, look);
}

}  // namespace tokensieve::drawing
