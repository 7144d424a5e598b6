#include <catch2/catch.hpp>

#include "sample_views.h"
#include "tokensieve/viz/overlay.h"

using namespace tokensieve;

TEST_CASE("kept patches stay as they are and dropped ones turn dark and grey", "[viz][overlay]") {
  const Image image = colorful_image(48, 32);
  const RetentionTrace trace = trace_from(6, {site_from(3, "kddkkd")});
  const Image overlay = draw_overlay({image, 2, 3, trace}, 0, {.magnify = 1, .grid = false});

  REQUIRE(overlay.width == 48);
  REQUIRE(overlay.height == 32);
  for (const int token : {0, 3, 4}) {
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 16; ++x) {
        const int px = token % 3 * 16 + x, py = token / 3 * 16 + y;
        REQUIRE(pixel_at(overlay, px, py) == pixel_at(image, px, py));
      }
    }
  }
  for (int y = 4; y < 12; ++y) {
    for (int x = 36; x < 44; ++x) {  // the middle of token 2
      const Color after = pixel_at(overlay, x, y);
      CHECK(after.red == after.green);
      CHECK(after.green == after.blue);
      CHECK(luma_of(after) < 0.6 * luma_of(pixel_at(image, x, y)));
    }
  }
}

TEST_CASE("a bright line runs around what was kept, on the dropped side", "[viz][overlay]") {
  const Image image = plain_image(32, 16, {90, 90, 90});
  const RetentionTrace trace = trace_from(2, {site_from(0, "kd")});
  const Image overlay = draw_overlay({image, 1, 2, trace}, 0, {.magnify = 1, .grid = false});
  CHECK(pixel_at(overlay, 15, 8) == Color{90, 90, 90});
  CHECK(luma_of(pixel_at(overlay, 16, 8)) > 200.0);
  CHECK(luma_of(pixel_at(overlay, 24, 8)) < 60.0);
}

TEST_CASE("fused patches look other than dropped ones", "[viz][overlay]") {
  const Image image = plain_image(64, 32, {128, 128, 128});
  const RetentionTrace trace = trace_from(2, {site_from(0, "fd")});
  const Image overlay = draw_overlay({image, 1, 2, trace}, 0, {.magnify = 1, .grid = false});
  const double fused = mean_luma(overlay, 0, 0, 32, 32),
               dropped = mean_luma(overlay, 32, 0, 64, 32);
  CHECK(fused > dropped + 5.0);
  CHECK(fused < 110.0);
}

TEST_CASE("merged patches show their group's mean colour and where it ends", "[viz][overlay]") {
  Image image = plain_image(96, 32, {200, 100, 0});
  for (int y = 0; y < 32; ++y) {
    for (int x = 32; x < 64; ++x) image.pixels[3 * (y * 96 + x)] = 100;
  }
  const RetentionTrace trace = trace_from(3, {site_from(0, "11k")});
  const Image overlay = draw_overlay({image, 1, 3, trace}, 0, {.magnify = 1, .grid = false});
  CHECK(pixel_at(overlay, 16, 16) == Color{150, 100, 0});
  CHECK(pixel_at(overlay, 48, 16) == Color{150, 100, 0});
  CHECK(pixel_at(overlay, 31, 16) == Color{150, 100, 0});  // no line inside the group
  CHECK(luma_of(pixel_at(overlay, 63, 16)) > 180.0);
  CHECK(luma_of(pixel_at(overlay, 64, 16)) > 180.0);
  CHECK(pixel_at(overlay, 80, 16) == Color{200, 100, 0});
}

TEST_CASE("a token that leaves inside attention is grey there and dark later", "[viz][overlay]") {
  const Image image = plain_image(64, 32, {200, 100, 0});
  SiteTrace first = site_from(3, "kd"), second = site_from(4, "kD");
  first.site.position = second.site.position = SitePosition::inside_attention;
  const RetentionTrace trace = trace_from(2, {first, second});
  const RetentionView view{image, 1, 2, trace};
  const auto left = [&](int site) {
    return pixel_at(draw_overlay(view, site, {.magnify = 1, .grid = false}), 48, 16);
  };
  CHECK(left(0).red == left(0).blue);
  CHECK(luma_of(left(0)) > luma_of(left(1)) + 30.0);

  const RetentionTrace after = trace_from(2, {site_from(3, "kd")});  // attention is over
  const Image dark = draw_overlay({image, 1, 2, after}, 0, {.magnify = 1, .grid = false});
  CHECK(pixel_at(dark, 48, 16) == left(1));
}

TEST_CASE("a number says how often a token was drawn, if more than once", "[viz][overlay]") {
  const Image image = plain_image(64, 32, {200, 100, 0});
  SiteTrace site = site_from(3, "kk");
  site.draws = {1, 3};
  const RetentionTrace trace = trace_from(2, {site});
  const Image overlay = draw_overlay({image, 1, 2, trace}, 0, {.magnify = 1, .grid = false});
  int once = 0, often = 0;
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      once += pixel_at(overlay, x, y) != Color{200, 100, 0};
      often += pixel_at(overlay, 32 + x, y) != Color{200, 100, 0};
    }
  }
  CHECK(once == 0);
  CHECK(often > 20);
  site.draws = {1};
  const RetentionTrace wrong = trace_from(2, {site});
  CHECK_THROWS_AS(draw_overlay({image, 1, 2, wrong}, 0), std::invalid_argument);
}

TEST_CASE("site -1 and a dense trace show the input", "[viz][overlay]") {
  const Image image = colorful_image(24, 24);
  const RetentionTrace dense = trace_from(4, {});
  const Image input = draw_overlay({image, 2, 2, dense}, -1, {.magnify = 1, .grid = false});
  CHECK(input == image);
}

TEST_CASE("the picture grows by a whole factor and the grid shows between patches",
          "[viz][overlay]") {
  const Image image = plain_image(28, 14, {100, 100, 100});
  const RetentionTrace trace = trace_from(2, {});
  const Image chosen = draw_overlay({image, 1, 2, trace}, -1);
  CHECK(chosen.width == 280);
  CHECK(chosen.height == 140);
  CHECK(pixel_at(chosen, 139, 70).red > 105);
  CHECK(pixel_at(chosen, 70, 70) == Color{100, 100, 100});
  const Image large = draw_overlay({plain_image(600, 300, {1, 2, 3}), 1, 2, trace}, -1);
  CHECK(large.width == 600);
}

TEST_CASE("one patch is a grid too", "[viz][overlay]") {
  const Image image = plain_image(16, 16, {200, 100, 50});
  const RetentionTrace trace = trace_from(1, {site_from(2, "k")});
  const Image overlay = draw_overlay({image, 1, 1, trace}, 0, {.magnify = 2});
  CHECK(pixel_at(overlay, 31, 31) == Color{200, 100, 50});
}

TEST_CASE("a view that does not fit together is refused", "[viz][overlay]") {
  const Image image = plain_image(32, 32, {0, 0, 0});
  const RetentionTrace trace = trace_from(4, {site_from(0, "kdkd")});
  const auto draw = [&](const Image& picture, int height, int width, const RetentionTrace& of) {
    return draw_overlay({picture, height, width, of}, 0);
  };
  CHECK_NOTHROW(draw(image, 2, 2, trace));
  CHECK_THROWS_WITH(draw(image, 2, 3, trace), Catch::Contains("a grid that divides the image"));
  CHECK_THROWS_WITH(draw(image, 0, 2, trace), Catch::Contains("a grid that divides the image"));
  CHECK_THROWS_WITH(draw(image, 4, 4, trace), Catch::Contains("got 4 tokens for a grid of 4 x 4"));
  CHECK_THROWS_WITH(draw(Image{}, 2, 2, trace), Catch::Contains("got 0 x 0"));
  CHECK_THROWS_AS(draw(Image{32, 32, {1, 2}}, 2, 2, trace), std::invalid_argument);
  RetentionTrace torn = trace;
  torn.sites[0].fate.pop_back();
  CHECK_THROWS_WITH(draw(image, 2, 2, torn), Catch::Contains("after_attention:0"));
}

TEST_CASE("a site or factor that does not exist is refused", "[viz][overlay]") {
  const Image image = plain_image(32, 32, {0, 0, 0});
  const RetentionTrace trace = trace_from(4, {site_from(0, "kdkd")});
  const RetentionView view{image, 2, 2, trace};
  CHECK_THROWS_WITH(draw_overlay(view, 1), Catch::Contains("the trace's 1 sites"));
  CHECK_THROWS_AS(draw_overlay(view, -2), std::invalid_argument);
  CHECK_THROWS_AS(draw_overlay(view, 0, {.magnify = -1}), std::invalid_argument);
  CHECK_THROWS_WITH(draw_overlay(view, 0, {.magnify = 257}), Catch::Contains("from 1 to 256"));
}
