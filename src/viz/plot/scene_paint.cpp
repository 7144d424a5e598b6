#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "panel.h"
#include "picture.h"
#include "plot/scene.h"

namespace tokensieve::drawing {

namespace {

constexpr int kSupersample = 4;  // shapes are drawn this many times larger and averaged down

using Pixels = std::vector<cv::Point>;

/// The pieces that are drawn of a line: all of it, or its dashes.
std::vector<std::vector<Point>> dashes(const Polyline& line) {
  if (!line.dashed) return {line.points};
  std::vector<std::vector<Point>> pieces;
  const double lengths[] = {kDash * line.width, kGap * line.width};
  int gap = 0;
  double left = lengths[0];
  pieces.push_back({line.points.front()});
  for (size_t i = 1; i < line.points.size(); ++i) {
    Point from = line.points[i - 1];
    const Point to = line.points[i];
    double distance = std::hypot(to.x - from.x, to.y - from.y);
    while (distance > left) {
      const double share = left / distance;
      from = {from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)};
      if (gap == 0) pieces.back().push_back(from);
      gap = 1 - gap;
      if (gap == 0) pieces.push_back({from});
      distance -= left;
      left = lengths[gap];
    }
    left -= distance;
    if (gap == 0) pieces.back().push_back(to);
  }
  return pieces;
}

class Painter {
 public:
  Painter(cv::Mat3b& picture, int magnify) : picture_(picture), magnify_(magnify) {}

  void operator()(const Polyline& line) {
    const int width = std::max(1, static_cast<int>(std::lround(line.width * scale())));
    const cv::Rect area = area_of(line.points, line.width);
    if (area.empty()) return;
    cv::Mat1b large(area.size() * kSupersample, uint8_t{0});
    for (const auto& piece : dashes(line)) {
      cv::polylines(large, pixels(piece, area), false, cv::Scalar(255), width);
    }
    tint_area(area, large, line.color, line.opacity);
  }

  void operator()(const Polygon& polygon) {
    const cv::Rect area = area_of(polygon.points, 0.0);
    if (area.empty()) return;
    cv::Mat1b large(area.size() * kSupersample, uint8_t{0});
    cv::fillPoly(large, std::vector<Pixels>{pixels(polygon.points, area)}, cv::Scalar(255));
    tint_area(area, large, polygon.color, polygon.opacity);
  }

  void operator()(const Caption& caption) {
    TextStyle style = caption.style;
    style.cap_height *= magnify_;
    const int width = text_width(caption.text, style);
    int x = static_cast<int>(std::lround(caption.at.x * magnify_));
    if (caption.anchor == Anchor::middle) x -= width / 2;
    if (caption.anchor == Anchor::end) x -= width;
    draw_text(picture_, caption.text, {x, static_cast<int>(std::lround(caption.at.y * magnify_))},
              style);
  }

 private:
  double scale() const { return static_cast<double>(magnify_) * kSupersample; }

  /// The part of the picture that a shape of lines this wide can touch.
  cv::Rect area_of(const std::vector<Point>& points, double width) const {
    if (points.empty()) return {};
    const auto [left, right] = std::ranges::minmax(points, {}, &Point::x);
    const auto [top, bottom] = std::ranges::minmax(points, {}, &Point::y);
    const double margin = width + 1.0;
    const auto pixel = [&](double at) { return static_cast<int>(std::floor(at * magnify_)); };
    const cv::Point from(pixel(left.x - margin), pixel(top.y - margin));
    const cv::Point to(pixel(right.x + margin) + 1, pixel(bottom.y + margin) + 1);
    return cv::Rect(from, to) & cv::Rect({0, 0}, picture_.size());
  }

  Pixels pixels(const std::vector<Point>& points, const cv::Rect& area) const {
    Pixels out;
    for (const Point& point : points) {
      // A coordinate names a corner between pixels; OpenCV means a pixel's middle.
      out.emplace_back(
          static_cast<int>(std::lround(point.x * scale() - area.x * kSupersample - 0.5)),
          static_cast<int>(std::lround(point.y * scale() - area.y * kSupersample - 0.5)));
    }
    return out;
  }

  void tint_area(const cv::Rect& area, const cv::Mat1b& large, Color color, double opacity) {
    cv::Mat1b coverage;
    cv::resize(large, coverage, area.size(), 0, 0, cv::INTER_AREA);
    cv::Mat3b target = picture_(area);
    tint(target, coverage, color, opacity);
  }

  cv::Mat3b& picture_;
  int magnify_;
};

}  // namespace

Image paint_scene(const Scene& scene, int magnify) {
  cv::Mat3b picture = white(scene.width * magnify, scene.height * magnify);
  Painter painter(picture, magnify);
  for (const Shape& shape : scene.shapes) std::visit(painter, shape);
  return to_image(picture);
}

}  // namespace tokensieve::drawing
