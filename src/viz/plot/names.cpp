#include "plot/names.h"

#include <algorithm>
#include <cmath>

#include "panel.h"
#include "plot/series.h"

namespace tokensieve::drawing {

namespace {

constexpr double kLineHeight = 16.0;
constexpr double kConnector = 14.0;  // from a curve's end to its name
constexpr double kFarthest = 28.0;   // a name may move up or down by
constexpr double kNearRight = 0.8;   // of the frame's width: where a curve with a name may end
constexpr double kApart = 2.5;       // least distance of two curves' ends
constexpr double kSampleGap = 7.0;   // legend: from the sample to the name
constexpr double kEntryGap = 20.0;   // legend: from a name to the next sample

TextStyle style() { return Metrics{}.body(); }

/// Heights as near as can be to the wanted ones, which ascend, a line apart and above `bottom`:
/// where lines would overlap they spread evenly around their middle.
std::vector<double> spread(const std::vector<double>& wanted, double bottom) {
  struct Block {
    double first;  // height of its first line
    double count;
  };
  std::vector<Block> blocks;
  for (const double height : wanted) {
    Block block{height, 1.0};
    while (!blocks.empty() &&
           blocks.back().first + blocks.back().count * kLineHeight > block.first) {
      const Block above = blocks.back();
      blocks.pop_back();
      const double shifted = block.first - above.count * kLineHeight;
      block = {(above.first * above.count + shifted * block.count) / (above.count + block.count),
               above.count + block.count};
    }
    blocks.push_back(block);
  }
  std::vector<double> heights;
  for (const Block& block : blocks) {
    for (double i = 0; i < block.count; ++i) heights.push_back(block.first + i * kLineHeight);
  }
  for (size_t i = heights.size(); i-- > 0; bottom = heights[i] - kLineHeight) {
    heights[i] = std::min(heights[i], bottom);
  }
  return heights;
}

}  // namespace

SeriesNames::SeriesNames(const LinePlot& plot) : plot_(plot) {
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const std::string& name = plot.series[i].name;
    if (!name.empty()) names_.push_back({i, static_cast<double>(text_width(name, style()))});
  }
}

double SeriesNames::side_width() const {
  double widest = 0.0;
  for (const Name& name : names_) widest = std::max(widest, name.width);
  return names_.empty() ? 0.0 : kConnector + 4.0 + widest;
}

std::optional<std::vector<SeriesNames::Place>> SeriesNames::places(const Frame& frame) const {
  std::vector<Place> places;
  for (const Name& name : names_) {
    const std::optional<Point> end = curve_end(frame, plot_.series[name.series]);
    if (!end) continue;
    if (end->x < frame.left + kNearRight * (frame.right - frame.left)) return std::nullopt;
    places.push_back({name.series, *end, end->y});
  }
  std::ranges::stable_sort(places, {}, [](const Place& place) { return place.end.y; });
  std::vector<double> wanted;
  for (const Place& place : places) {
    // Curves that meet at the end are not told apart there.
    if (!wanted.empty() && place.end.y < wanted.back() + kApart) return std::nullopt;
    wanted.push_back(place.end.y);
  }
  const std::vector<double> heights = spread(wanted, frame.bottom);
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].y = heights[i];
    if (std::abs(places[i].y - places[i].end.y) > kFarthest) return std::nullopt;
  }
  return places;
}

bool SeriesNames::fit_beside(const Frame& frame) const { return places(frame).has_value(); }

void SeriesNames::add_beside(Scene& scene, const Frame& frame) const {
  for (const Place& place : places(frame).value_or(std::vector<Place>{})) {
    const double x = frame.right + kConnector;
    const Color color = series_look(place.series).color;
    const Point start{std::min(place.end.x + 5.0, frame.right + 3.0), place.end.y};
    scene.shapes.push_back(Polyline{{start, {x, place.y}}, color, 1.2, 0.8});
    scene.shapes.push_back(Caption{
        {x + 4.0, place.y + style().cap_height / 2}, plot_.series[place.series].name, style()});
  }
}

double SeriesNames::legend_height(double width) const {
  Scene measured;
  add_legend(measured, 0.0, 0.0, width);
  double height = 0.0;
  for (const Shape& shape : measured.shapes) {
    if (const auto* caption = std::get_if<Caption>(&shape)) {
      height = std::max(height, caption->at.y);
    }
  }
  return names_.empty() ? 0.0 : height + 10.0;
}

void SeriesNames::add_legend(Scene& scene, double left, double top, double width) const {
  double x = left;
  double y = top + kLineHeight / 2;
  for (const Name& name : names_) {
    const double entry = kSampleWidth + kSampleGap + name.width;
    if (x > left && x + entry > left + width) {
      x = left;
      y += kLineHeight;
    }
    const PlotSeries& series = plot_.series[name.series];
    add_sample(scene, {x, y}, series.style, series_look(name.series, series.dashed));
    scene.shapes.push_back(
        Caption{{x + kSampleWidth + kSampleGap, y + style().cap_height / 2}, series.name, style()});
    x += entry + kEntryGap;
  }
}

}  // namespace tokensieve::drawing
