#include "tokensieve/viz/mask_map.h"

#include <array>
#include <catch2/catch.hpp>

#include "sample_views.h"

using namespace tokensieve;

namespace {

constexpr Color kPlain{200, 100, 0};

/// 5 x 5 patches; two blocks of two heads, of which head 1 is masked in both.
struct Masked {
  Image image = plain_image(50, 50, kPlain);
  RetentionTrace trace = trace_from(25, {});
  AttentionMasks masks;
  std::array<int, 2> heads = {2, 2};

  Masked() { masks.heads = {{1}, {1}}; }
  Image draw(int query = -1) const {
    return draw_mask_map({image, 5, 5, trace}, masks, heads, query);
  }
  /// Patches in the image's own colour, in all heads together.
  double seen(int query = -1) const {
    const Image map = draw(query);
    int pixels = 0;
    for (int y = 0; y < map.height; ++y) {
      for (int x = 0; x < map.width; ++x) pixels += pixel_at(map, x, y) == kPlain;
    }
    return pixels / 784.0;  // 28 x 28 pixels each
  }
};

// The frame of the query takes a third of a patch and some of its neighbours'.
auto about(double patches) { return Approx(patches).margin(3.5); }

}  // namespace

TEST_CASE("a masked head shows the neighbourhood of a patch, a free one all", "[viz][masks]") {
  Masked masked;
  CHECK(masked.seen() == about(2 * 25 + 2 * 9));
  CHECK(masked.seen(0) == about(2 * 25 + 2 * 4));  // a corner
  masked.masks.rows = masked.masks.columns = 2;
  CHECK(masked.seen() == about(4 * 25));
  masked.masks.heads = {{1}, {}};
  masked.masks.rows = masked.masks.columns = 1;
  CHECK(masked.seen() == about(25 + 9));  // a block without masks is left out
}

TEST_CASE("what left before a block is in no head of it", "[viz][masks]") {
  Masked masked;
  SiteTrace site = site_from(1, "kkkkkkkkkkkkkkkDDDDDDDDDD");  // the lower two lines
  site.site.position = SitePosition::before_block;
  masked.trace = trace_from(25, {site});
  CHECK(masked.seen(12) == about(25 + 9 + 15 + 6));
  masked.trace.sites[0].site.position = SitePosition::after_attention;
  CHECK(masked.seen(12) == about(2 * 25 + 2 * 9));
}

TEST_CASE("a row of several tokens is seen or not as the patch at whose place it stands",
          "[viz][masks]") {
  Masked masked;
  // The first line is one group, at its first patch.
  SiteTrace site = site_from(0, "00000kkkkkkkkkkkkkkkkkkkk");
  site.site.position = SitePosition::before_block;
  masked.trace = trace_from(25, {site});
  // Patch 6, in the second line and column: five of the group count as one neighbour.
  CHECK(masked.seen(6) == about(2 * 25 + 2 * (6 + 5)));
  CHECK(masked.seen(8) == about(2 * 25 + 2 * 6));  // whose neighbours up there are in the group
  SECTION("fused ones alike") {
    masked.trace = trace_from(25, {site_from(0, "fffffkkkkkkkkkkkkkkkkkkkk")});
    masked.trace.sites[0].site.position = SitePosition::before_block;
    CHECK(masked.seen(6) == about(2 * 25 + 2 * (6 + 5)));
  }
  SECTION("rows without a place are refused") {
    masked.trace.sites[0].origin.pop_back();
    CHECK_THROWS_AS(masked.draw(6), std::invalid_argument);
    masked.trace.sites[0].origin.push_back(0);
    masked.trace.sites[0].row[3] = 25;
    CHECK_THROWS_AS(masked.draw(6), std::invalid_argument);
  }
}

TEST_CASE("the patch that looks is one that stays", "[viz][masks]") {
  Masked masked;
  masked.trace = trace_from(25, {site_from(1, "kDDDDDDDDDDDDDDDDDDDDDDDD")});
  CHECK(masked.draw() == masked.draw(0));
  CHECK_FALSE(masked.draw() == masked.draw(12));
}

TEST_CASE("kinds of masks are told apart in words", "[viz][masks]") {
  Masked masked;
  const Image soft = masked.draw();
  masked.masks.kind = AttentionMasks::Kind::hard;
  CHECK_FALSE(masked.draw() == soft);
}

TEST_CASE("a mask map refuses what does not fit", "[viz][masks]") {
  Masked masked;
  CHECK_THROWS_AS(masked.draw(25), std::invalid_argument);
  CHECK_THROWS_AS(masked.draw(-2), std::invalid_argument);
  const RetentionView view{masked.image, 5, 5, masked.trace};
  CHECK_THROWS_AS(draw_mask_map(view, AttentionMasks{}, masked.heads), std::invalid_argument);
  masked.masks.heads = {{2}};
  CHECK_THROWS_AS(masked.draw(), std::invalid_argument);
  masked.masks.heads = {{1}};
  masked.trace = trace_from(24, {});
  CHECK_THROWS_AS(masked.draw(), std::invalid_argument);
}
