#pragma once

#include <string>
#include <variant>
#include <vector>

#include "text.h"
#include "tokensieve/io/image.h"
#include "tokensieve/viz/colormap.h"

/// A drawing as a list of shapes, in pixels from the upper left corner, that both the SVG writer
/// and the painter understand.
namespace tokensieve::drawing {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// A line through points, with round joints.
struct Polyline {
  std::vector<Point> points;
  Color color;
  double width = 1.0;
  double opacity = 1.0;
  bool dashed = false;
};

/// A filled shape.
struct Polygon {
  std::vector<Point> points;
  Color color;
  double opacity = 1.0;
};

enum class Anchor { start, middle, end };

/// A line of text whose capitals stand on `at.y`.
struct Caption {
  Point at;
  std::string text;
  TextStyle style;
  Anchor anchor = Anchor::start;
};

using Shape = std::variant<Polyline, Polygon, Caption>;

struct Scene {
  int width = 0;
  int height = 0;
  std::string title;  ///< For those who cannot see it.
  std::vector<Shape> shapes;
};

/// Lengths of the dashes and of the gaps between them, in widths of the line.
inline constexpr double kDash = 4.0;
inline constexpr double kGap = 3.0;

/// The scene as an SVG document.
std::string scene_svg(const Scene& scene);

/// The scene `magnify` times as large, on white.
Image paint_scene(const Scene& scene, int magnify);

}  // namespace tokensieve::drawing
