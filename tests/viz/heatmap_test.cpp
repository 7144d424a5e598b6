#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "drop_steps.h"
#include "sample_views.h"
#include "tokensieve/viz/heatmap.h"

using namespace tokensieve;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr int kMargin = 14;  // of a page, for pictures of 280 pixels

/// The mean colour of patch `index` of a heat map without title of 280-pixel pictures.
double patch_luma(const Image& page, int index, int columns, int patch) {
  const int x = kMargin + index % columns * patch, y = kMargin + index / columns * patch;
  return mean_luma(page, x + 2, y + 2, x + patch - 2, y + patch - 2);
}

}  // namespace

TEST_CASE("larger values are brighter, under either scale", "[viz][heatmap]") {
  const Image image = plain_image(40, 40, {128, 128, 128});
  const std::array<float, 4> values = {0.1f, 0.4f, 0.7f, 0.9f};
  HeatmapOptions options;
  options.colormap = GENERATE(Colormap::viridis, Colormap::cividis);
  options.scale = GENERATE(ValueScale::linear, ValueScale::logarithmic);
  const Image page = draw_heatmap(image, 2, 2, values, options);
  for (int i = 1; i < 4; ++i)
    CHECK(patch_luma(page, i, 2, 140) > patch_luma(page, i - 1, 2, 140) + 10);
}

TEST_CASE("what has no value is pale and grey", "[viz][heatmap]") {
  const Image image = plain_image(40, 20, {60, 60, 60});
  const std::array<float, 2> values = {kNaN, 0.5f};
  const Image page = draw_heatmap(image, 1, 2, values);
  const Color none = pixel_at(page, kMargin + 70, kMargin + 70);
  CHECK(std::abs(none.red - none.blue) < 8);
  CHECK(luma_of(none) > 160);
}

TEST_CASE("values without a single number still draw", "[viz][heatmap]") {
  const Image image = plain_image(40, 20, {60, 60, 60});
  const std::array<float, 2> values = {kNaN, std::numeric_limits<float>::infinity()};
  CHECK(draw_heatmap(image, 1, 2, values).width == 280 + 2 * kMargin);
}

TEST_CASE("the legend is the colour scale from left to right", "[viz][heatmap]") {
  const Image image = plain_image(280, 140, {0, 0, 0});
  const std::array<float, 2> values = {0.0f, 1.0f};
  const Image page = draw_heatmap(image, 1, 2, values);
  const int y = kMargin + 140 + 6 + 3;  // picture, gap, into the bar
  CHECK(pixel_at(page, kMargin, y) == colormap_color(Colormap::viridis, 0.0));
  CHECK(pixel_at(page, kMargin + 279, y) == colormap_color(Colormap::viridis, 1.0));
  for (int x = 8; x < 280; ++x) {
    CHECK(luma_of(pixel_at(page, kMargin + x, y)) >= luma_of(pixel_at(page, kMargin + x - 8, y)));
  }
}

TEST_CASE("a title takes room above the picture", "[viz][heatmap]") {
  const Image image = plain_image(28, 28, {0, 0, 0});
  const std::array<float, 1> values = {1.0f};
  const Image without = draw_heatmap(image, 1, 1, values);
  const Image with = draw_heatmap(image, 1, 1, values, {.title = "class attention"});
  CHECK(with.height > without.height + 10);
  CHECK(mean_luma(with, kMargin, kMargin, kMargin + 80, kMargin + 14) < 250);
}

TEST_CASE("tokens that leave earlier are darker and what stays is brightest", "[viz][heatmap]") {
  const Image image = plain_image(280, 70, {128, 128, 128});
  const RetentionTrace trace =
      trace_from(4, {site_from(3, "dkkk"), site_from(6, "Ddkk"), site_from(9, "DDdk")});
  const Image page = draw_dropped_at_map({image, 1, 4, trace});
  for (int i = 1; i < 4; ++i)
    CHECK(patch_luma(page, i, 4, 70) > patch_luma(page, i - 1, 4, 70) + 10);
}

TEST_CASE("every block with a site has a step, with its tokens", "[viz][heatmap]") {
  const RetentionTrace trace = trace_from(4, {site_from(3, "kkkk"), site_from(6, "dfkk")});
  const auto steps = drawing::drop_steps(trace, Colormap::viridis);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].text() == "block 3: 0");
  CHECK(steps[1].text() == "block 6: 2");
  CHECK(steps[2].text() == "kept: 2");
  CHECK(steps[2].color == colormap_color(Colormap::viridis, 1.0));
}

TEST_CASE("a dense trace keeps everything in the dropped-at map", "[viz][heatmap]") {
  const auto steps = drawing::drop_steps(trace_from(9, {}), Colormap::viridis);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].text() == "kept: 9");
}

TEST_CASE("the score map draws the scores of its site", "[viz][heatmap]") {
  const Image image = colorful_image(32, 16);
  const RetentionTrace trace = trace_from(2, {site_from(1, "kd")});
  const RetentionView view{image, 1, 2, trace};
  CHECK(draw_score_map(view, 0) == draw_heatmap(image, 1, 2, trace.sites[0].score));
  CHECK_THROWS_AS(draw_score_map(view, 1), std::invalid_argument);
  CHECK_THROWS_AS(draw_score_map(view, -1), std::invalid_argument);
}

TEST_CASE("heat maps refuse what does not fit", "[viz][heatmap]") {
  const Image image = plain_image(30, 30, {0, 0, 0});
  const std::array<float, 3> values = {1.0f, 2.0f, 3.0f};
  CHECK_THROWS_WITH(draw_heatmap(image, 2, 2, values), Catch::Contains("expected 4 values"));
  CHECK_THROWS_WITH(draw_heatmap(image, 4, 1, values), Catch::Contains("divides the image"));
  CHECK_THROWS_AS(draw_heatmap(image, 3, 1, values, {.magnify = -2}), std::invalid_argument);
  const RetentionTrace trace = trace_from(2, {});
  CHECK_THROWS_AS(draw_dropped_at_map({image, 1, 1, trace}), std::invalid_argument);
  CHECK_THROWS_AS(draw_dropped_at_map({image, 1, 2, trace}, {.magnify = 4000}),
                  std::invalid_argument);
}
