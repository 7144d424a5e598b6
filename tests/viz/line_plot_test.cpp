#include "tokensieve/viz/line_plot.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "plot/axis.h"
#include "plot/names.h"
#include "plot/series.h"
#include "sample_views.h"

using namespace tokensieve;
using Catch::Contains;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LinePlot plot_of(std::vector<PlotSeries> series) {
  LinePlot plot;
  plot.series = std::move(series);
  return plot;
}

std::vector<std::string> texts(const drawing::Axis& axis) {
  std::vector<std::string> out;
  for (const auto& tick : axis.ticks) out.push_back(tick.text);
  return out;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++found;
  return found;
}

/// 10 x 10 pixels for 10 x 10 units, y upwards.
drawing::Frame unit_frame() {
  drawing::Frame frame;
  frame.x = drawing::make_axis(AxisScale::linear, 0, 10, 0, 5);
  frame.y = drawing::make_axis(AxisScale::linear, 0, 10, 0, 5);
  frame.right = frame.bottom = 10;
  return frame;
}

/// The shapes of one kind that a curve is drawn with.
template <typename Shape>
std::vector<Shape> shapes_of(const drawing::Scene& scene) {
  std::vector<Shape> found;
  for (const auto& shape : scene.shapes) {
    if (const auto* one = std::get_if<Shape>(&shape)) found.push_back(*one);
  }
  return found;
}

drawing::Scene curve(const PlotSeries& series, const drawing::Frame& frame = unit_frame()) {
  drawing::Scene scene;
  drawing::add_error_ranges(scene, frame, series, drawing::series_look(0));
  drawing::add_curve(scene, frame, series, drawing::series_look(0));
  return scene;
}

int pixels_like(const Image& image, Color color) {
  int found = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    found += image.pixels[i] == color.red && image.pixels[i + 1] == color.green &&
             image.pixels[i + 2] == color.blue;
  }
  return found;
}

}  // namespace

TEST_CASE("ticks are round numbers, written alike", "[viz][plot]") {
  using Texts = std::vector<std::string>;
  const auto linear = [](double low, double high) {
    return texts(drawing::make_axis(AxisScale::linear, low, high, 0.0, 5));
  };
  CHECK(linear(0, 1) == Texts{"0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(linear(-1, 1) == Texts{"-1.0", "-0.5", "0", "0.5", "1.0"});
  CHECK(linear(91.3, 97.9) == Texts{"92", "93", "94", "95", "96", "97"});
  CHECK(linear(0, 22200) == Texts{"0", "5k", "10k", "15k", "20k"});
  CHECK(linear(0, 2.5e6) == Texts{"0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"});
  CHECK(linear(0, 1e-5) == Texts{"0", "2e-6", "4e-6", "6e-6", "8e-6", "1e-5"});

  const auto logarithmic = [](double low, double high) {
    return texts(drawing::make_axis(AxisScale::logarithmic, low, high, 0.0, 5));
  };
  CHECK(logarithmic(0.3, 4) == Texts{"0.5", "1", "2"});
  CHECK(logarithmic(1e-6, 1e-2) == Texts{"1e-6", "1e-5", "1e-4", "0.001", "0.01"});
  CHECK(logarithmic(1, 1e6) == Texts{"1", "100", "10k", "1M"});
  CHECK(logarithmic(3, 4).size() >= 2);
}

TEST_CASE("an axis reaches round one value and not past zero", "[viz][plot]") {
  const auto one = drawing::make_axis(AxisScale::linear, 5, 5, 0.05, 5);
  CHECK(one.position(5) == Approx(0.5));
  CHECK(one.ticks.size() >= 2);
  CHECK(drawing::make_axis(AxisScale::linear, 0, 0, 0.05, 5).position(0) == Approx(0.5));
  CHECK(drawing::make_axis(AxisScale::logarithmic, 5, 5, 0.0, 5).position(5) == Approx(0.5));
  CHECK(drawing::make_axis(AxisScale::linear, 0.1, 10, 0.05, 5).low == 0.0);
  CHECK(drawing::make_axis(AxisScale::linear, -10, -0.1, 0.05, 5).high == 0.0);
  CHECK(drawing::make_axis(AxisScale::linear, 5, 10, 0.05, 5).low == Approx(4.75));
  CHECK(drawing::make_axis(AxisScale::logarithmic, 1, 100, 0.5, 5).high == Approx(1000));
}

TEST_CASE("axes stand any finite numbers", "[viz][plot]") {
  for (const auto& [low, high] :
       {std::pair(-1e300, 1e300), std::pair(1e-300, 2e-300), std::pair(1e17, 1e17 + 16),
        std::pair(-1e-300, 1e300), std::pair(1.0, std::nextafter(1.0, 2.0))}) {
    const auto axis = drawing::make_axis(AxisScale::linear, low, high, 0.05, 6);
    CHECK(axis.low < axis.high);
    CHECK(axis.ticks.size() < 20);
    if (low > 0) {
      CHECK(drawing::make_axis(AxisScale::logarithmic, low, high, 0.05, 6).ticks.size() < 30);
    }
  }
  CHECK(drawing::make_axis(AxisScale::logarithmic, 1e-300, 1e300, 0.0, 6).ticks.size() < 10);
  CHECK_FALSE(drawing::has_place(AxisScale::linear, 1e301));
  CHECK_FALSE(drawing::has_place(AxisScale::linear, kNan));
  CHECK_FALSE(drawing::has_place(AxisScale::logarithmic, 0.0));
}

TEST_CASE("a value that is not finite leaves a gap", "[viz][plot]") {
  const auto lines = shapes_of<drawing::Polyline>(
      curve({"", {0, 1, 2, 3, 4, 5}, {1, 2, kNan, 4, 5, 6}, {}, {}, {}}));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].points.size() == 2);
  CHECK(lines[1].points.size() == 3);
  CHECK(lines[1].points[0].x == Approx(3));
  CHECK(lines[1].points[0].y == Approx(6));
}

TEST_CASE("a lone point of a line is drawn as a marker", "[viz][plot]") {
  const auto scene = curve({"", {1, 2, 3}, {kNan, 4, kNan}, {}, {}, {}});
  CHECK(shapes_of<drawing::Polyline>(scene).empty());
  CHECK(shapes_of<drawing::Polygon>(scene).size() == 2);  // with its rim
}

TEST_CASE("a line with more points than pixels is a mean over a band of all", "[viz][plot]") {
  PlotSeries series;
  for (int i = 0; i <= 1000; ++i) {
    series.x.push_back(i / 100.0);
    series.y.push_back(i % 2 ? 4.0 : 6.0);
  }
  const auto scene = curve(series);
  const auto lines = shapes_of<drawing::Polyline>(scene);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].points.size() < 10);
  for (const auto& point : lines[0].points) CHECK(point.y == Approx(5.0).margin(0.02));
  CHECK(lines[0].points.front().x == Approx(0));
  CHECK(lines[0].points.back().x == Approx(10));
  const auto bands = shapes_of<drawing::Polygon>(scene);
  REQUIRE(bands.size() == 1);
  for (const auto& point : bands[0].points) CHECK(std::abs(point.y - 5.0) == Approx(1.0));
}

TEST_CASE("a band goes from low to high where all three are there", "[viz][plot]") {
  const auto bands = shapes_of<drawing::Polygon>(
      curve({"", {0, 1, 2, 3}, {5, 5, 5, kNan}, {4, 4, kNan, 4}, {6, 7, 6, 6}, {}}));
  REQUIRE(bands.size() == 1);
  REQUIRE(bands[0].points.size() == 4);
  CHECK(bands[0].points[1].y == Approx(6));
  CHECK(bands[0].points[2].y == Approx(3));
}

TEST_CASE("points have a marker and an error bar each", "[viz][plot]") {
  const auto scene = curve({"", {1, 2}, {5, 5}, {4, kNan}, {6, 6}, SeriesStyle::points});
  CHECK(shapes_of<drawing::Polygon>(scene).size() == 2 * 2);
  CHECK(shapes_of<drawing::Polyline>(scene).size() == 3 + 1);  // a bar with two ends, the line
}

TEST_CASE("names stand at the curves' ends if these are apart, else in a legend", "[viz][plot]") {
  const PlotSeries low{"lower", {0, 10}, {1, 2}, {}, {}, {}};
  const PlotSeries high{"upper", {0, 10}, {8, 9}, {}, {}, {}};
  const PlotSeries same{"same", {0, 10}, {5, 9}, {}, {}, {}};
  const PlotSeries early{"early", {0, 3}, {5, 6}, {}, {}, {}};
  drawing::Frame frame = unit_frame();
  frame.right = 500;
  frame.bottom = 300;
  const auto beside = [&](std::vector<PlotSeries> series) {
    const LinePlot plot = plot_of(std::move(series));
    return drawing::SeriesNames(plot).fit_beside(frame);
  };
  CHECK(beside({low, high}));
  CHECK_FALSE(beside({low, high, same}));
  CHECK_FALSE(beside({low, early}));
}

TEST_CASE("names beside the curves never overlap and stay near", "[viz][plot]") {
  LinePlot plot;
  for (int i = 0; i < 5; ++i) {
    plot.series.push_back({"name", {0, 10}, {0, 5 + 0.12 * i}, {}, {}, {}});
  }
  drawing::Frame frame = unit_frame();
  frame.right = 500;
  frame.bottom = 300;
  drawing::Scene scene;
  drawing::SeriesNames(plot).add_beside(scene, frame);
  const auto captions = shapes_of<drawing::Caption>(scene);
  REQUIRE(captions.size() == 5);
  for (size_t i = 1; i < 5; ++i) CHECK(captions[i].at.y - captions[i - 1].at.y >= 15.9);
}

TEST_CASE("an SVG names what it shows, with hostile text made harmless", "[viz][plot]") {
  LinePlot plot = plot_of({{"a <b> & \"c\"", {1, 2}, {3, 4}, {}, {}, {}},
                           {"Z\xC3\xBCrich \xFF", {1, 2}, {1, 1}, {}, {}, {}}});
  plot.title = "</svg><script>";
  plot.x_label = "step";
  plot.y_label = "loss";
  const std::string svg = plot_svg(plot);
  CHECK_THAT(svg, Contains("a &lt;b&gt; &amp; &quot;c&quot;"));
  CHECK_THAT(svg, Contains("Z\xC3\xBCrich \xEF\xBF\xBD"));
  CHECK_THAT(svg, Contains(">step<") && Contains(">loss<"));
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "</svg>") == 1);
  CHECK(count(svg, "&lt;/svg&gt;&lt;script&gt;") == 2);  // drawn, and as the document's title
  CHECK(count(svg, "nan") + count(svg, "inf") == 0);
}

TEST_CASE("a plot is the same every time", "[viz][plot]") {
  const LinePlot plot = plot_of({{"a", {1, 2, 3}, {3, 4, 1}, {}, {}, {}}});
  CHECK(plot_svg(plot) == plot_svg(plot));
  CHECK(draw_plot(plot) == draw_plot(plot));
}

TEST_CASE("a painted plot has the size and the colours it should", "[viz][plot]") {
  LinePlot plot = plot_of({{"a", {0, 10}, {0, 0}, {}, {}, {}}, {"b", {0, 10}, {1, 1}, {}, {}, {}}});
  plot.width = 300;
  plot.height = 200;
  for (const int magnify : {1, 2, 3}) {
    const Image image = draw_plot(plot, magnify);
    CHECK((image.width == 300 * magnify && image.height == 200 * magnify));
    CHECK(pixel_at(image, 0, 0) == Color{255, 255, 255});
    CHECK(pixels_like(image, drawing::series_look(0).color) > 100 * magnify);
    CHECK(pixels_like(image, drawing::series_look(1).color) > 100 * magnify);
    CHECK(pixels_like(image, drawing::series_look(2).color) == 0);
  }
}

TEST_CASE("from the eighth on curves repeat their colours with dashes", "[viz][plot]") {
  for (size_t i = 0; i < 7; ++i) {
    CHECK_FALSE(drawing::series_look(i).dashed);
    CHECK(drawing::series_look(i + 7).dashed);
    CHECK(drawing::series_look(i).color == drawing::series_look(i + 7).color);
  }
  std::vector<PlotSeries> many;
  for (int i = 0; i < 30; ++i) {
    many.push_back({"series " + std::to_string(i), {0, 1}, {i + 0.0, i + 1.0}, {}, {}, {}});
  }
  CHECK_THAT(plot_svg(plot_of(many)), Contains("stroke-dasharray"));
  CHECK_NOTHROW(draw_plot(plot_of(many), 1));
}

TEST_CASE("a series that asks for dashes has them, in the legend too", "[viz][plot]") {
  LinePlot plot = plot_of({{"", {0, 1}, {0, 1}, {}, {}, {}}});
  CHECK(count(plot_svg(plot), "stroke-dasharray") == 0);
  plot.series[0].dashed = true;
  CHECK(count(plot_svg(plot), "stroke-dasharray") == 1);
  plot.series[0].name = "control";
  plot.series.push_back({"same", {0, 1}, {0, 1}, {}, {}, {}});  // so names go to a legend
  CHECK(count(plot_svg(plot), "stroke-dasharray") == 2);
}

TEST_CASE("plots stand side by side in one document", "[viz][plot]") {
  LinePlot left = plot_of({{"a", {1, 2}, {3, 4}, {}, {}, {}}});
  LinePlot right = left;
  left.width = 300;
  right.width = 400;
  right.height = 500;
  right.x_label = "after";
  const std::vector<LinePlot> plots = {left, right};
  const std::string svg = plot_svg(plots);
  CHECK_THAT(svg, Contains("width=\"700\" height=\"500\""));
  CHECK(count(svg, "</svg>") == 1);
  const Image both = draw_plot(plots, 1);
  CHECK((both.width == 700 && both.height == 500));
  const Image alone = draw_plot(left, 1);
  for (int x = 0; x < 300; x += 7) {
    for (int y = 0; y < alone.height; y += 7)
      REQUIRE(pixel_at(both, x, y) == pixel_at(alone, x, y));
  }
  CHECK_THROWS_AS(plot_svg(std::vector<LinePlot>{}), std::invalid_argument);
  CHECK_THROWS_AS(draw_plot(std::vector<LinePlot>{}), std::invalid_argument);
  CHECK_THROWS_AS(draw_plot(plots, 5), std::invalid_argument);
}

TEST_CASE("a dashed line is drawn in pieces with gaps", "[viz][plot]") {
  drawing::Scene scene{100, 20, "", {}};
  scene.shapes.push_back(drawing::Polyline{{{0, 10}, {100, 10}}, {0, 0, 0}, 2.0, 1.0, true});
  const Image image = drawing::paint_scene(scene, 1);
  int changes = 0;
  for (int x = 1; x < 100; ++x) {
    changes += (pixel_at(image, x, 10).red < 128) != (pixel_at(image, x - 1, 10).red < 128);
  }
  CHECK(changes >= 12);  // a dash and a gap every 14 pixels
}

TEST_CASE("a plot without names, with a point, and with a wide name is drawn", "[viz][plot]") {
  CHECK_NOTHROW(draw_plot(plot_of({{"", {1}, {1}, {}, {}, {}}})));
  CHECK_NOTHROW(draw_plot(plot_of({{std::string(5000, 'W'), {1, 2}, {1, 2}, {}, {}, {}}})));
  LinePlot small = plot_of({{"x", {1, 2}, {1, 2}, {}, {}, {}}});
  small.width = small.height = 200;
  CHECK_NOTHROW(draw_plot(small));
}

TEST_CASE("a plot refuses what it cannot draw", "[viz][plot]") {
  const auto refused = [](const LinePlot& plot) {
    CHECK_THROWS_AS(plot_svg(plot), std::invalid_argument);
    CHECK_THROWS_AS(draw_plot(plot), std::invalid_argument);
  };
  refused({});
  refused(plot_of({{"a", {}, {}, {}, {}, {}}}));
  refused(plot_of({{"a", {1, 2}, {kNan, kNan}, {}, {}, {}}}));
  refused(plot_of({{"a", {1, 2}, {1}, {}, {}, {}}}));
  refused(plot_of({{"a", {1, 2}, {1, 2}, {1}, {1}, {}}}));
  refused(plot_of({{"a", {1, 2}, {1, 2}, {1, 1}, {}, {}}}));
  LinePlot plot = plot_of({{"a", {1, 2}, {-1, 0}, {}, {}, {}}});
  CHECK_NOTHROW(plot_svg(plot));
  plot.y_scale = AxisScale::logarithmic;
  refused(plot);
  plot.y_scale = AxisScale::linear;
  plot.width = 199;
  refused(plot);
  plot.width = 300;
  plot.height = 4001;
  refused(plot);
  plot.height = 300;
  CHECK_THROWS_AS(draw_plot(plot, 0), std::invalid_argument);
  CHECK_THROWS_AS(draw_plot(plot, 5), std::invalid_argument);
}
