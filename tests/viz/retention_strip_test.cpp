#include <catch2/catch.hpp>

#include "number_text.h"
#include "sample_views.h"
#include "site_text.h"
#include "tokensieve/viz/retention_strip.h"

using namespace tokensieve;

namespace {

RetentionTrace four_sites() {
  return trace_from(
      4, {site_from(1, "kkkd"), site_from(2, "kkdD"), site_from(3, "kdDD"), site_from(4, "kDDD")});
}

}  // namespace

TEST_CASE("a site's caption says block, count and share", "[viz][strip]") {
  const SiteTrace site = site_from(3, "kkkkkkkddd");
  CHECK(drawing::site_caption(site) == "block 3: 7 of 10 tokens (70%)");
  CHECK(drawing::site_note(site) == "after attention, 3 dropped");
  CHECK(drawing::site_note(site_from(3, "kffd")) ==
        "after attention, 1 dropped, 2 fused into 1 row");
  CHECK(drawing::site_note(site_from(3, "kk")) == "after attention");
  CHECK(drawing::site_caption(site_from(3, "k11k222d")) == "block 3: 4 of 8 tokens (50%)");
  CHECK(drawing::site_note(site_from(3, "k11k222d")) ==
        "after attention, 1 dropped, 5 merged into 2 rows");
}

TEST_CASE("numbers are printed short and the same everywhere", "[viz][strip]") {
  CHECK(drawing::macs_text(4'607'000'000) == "4.61 GMACs");
  CHECK(drawing::macs_text(812'000'000) == "812 MMACs");
  CHECK(drawing::macs_text(1'250'000) == "1.2 MMACs");
  CHECK(drawing::macs_text(17) == "17 MACs");
  CHECK(drawing::milliseconds_text(21.34) == "21.3 ms");
  CHECK(drawing::milliseconds_text(150.0) == "150 ms");
  CHECK(drawing::percent_text(0.9712) == "97.1%");
  CHECK(drawing::number_text(0.000123456) == "0.000123");
}

TEST_CASE("a strip has a column for the input and one for each site", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  const RetentionTrace trace = four_sites();
  const RetentionView view{image, 2, 2, trace};
  const Image strip = draw_strip(view);
  CHECK(strip.width == 5 * 280 + 4 * 18 + 2 * 22);
  CHECK(pixel_at(strip, 0, 0) == Color{255, 255, 255});
  CHECK(pixel_at(strip, strip.width - 1, strip.height - 1) == Color{255, 255, 255});

  const Image wrapped = draw_strip(view, {}, {.max_columns = 2});
  CHECK(wrapped.width == 2 * 280 + 18 + 2 * 22);
  CHECK(wrapped.height > 2 * strip.height);
}

TEST_CASE("a strip says what its scores are", "[viz][strip]") {
  const Image image = colorful_image(32, 32);
  RetentionTrace trace = trace_from(4, {site_from(3, "kkdd")});
  const Image plain = draw_strip({image, 2, 2, trace}, {});
  trace.sites[0].score_name = "keep probability";
  const Image named = draw_strip({image, 2, 2, trace}, {});
  CHECK(named.width == plain.width);
  CHECK(named.height == plain.height);
  CHECK(named.pixels != plain.pixels);
}

TEST_CASE("without maps or scores a strip is shorter", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  RetentionTrace trace = four_sites();
  const int with = draw_strip({image, 2, 2, trace}, {}, {.max_columns = 2}).height;
  const int without =
      draw_strip({image, 2, 2, trace}, {}, {.max_columns = 2, .maps = false}).height;
  CHECK(without < with - 280);
  for (SiteTrace& site : trace.sites) site.score.assign(4, std::numeric_limits<float>::quiet_NaN());
  const int unscored = draw_strip({image, 2, 2, trace}, {}, {.max_columns = 2}).height;
  CHECK(unscored < with);
  CHECK(without < unscored - 280);  // by "dropped at block"
}

TEST_CASE("a caption takes room at the head, whatever its text", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  const RetentionTrace trace = four_sites();
  const RetentionView view{image, 2, 2, trace};
  const Image bare = draw_strip(view);
  RetentionCaption caption;
  caption.title = "Z\xC3\xBCrich \xF0\x9F\x90\x95 \x01\xFF" + std::string(5000, 'W');
  caption.recipe = "evit(keep=0.7)";
  caption.dense = RunSummary{{{"tench", 0.97}}, 4'600'000'000, 21.0};
  caption.sieved = RunSummary{{{"goldfish", 0.55}}, 3'000'000'000, 14.0};
  const Image strip = draw_strip(view, caption);
  CHECK(strip.width == bare.width);
  CHECK(strip.height > bare.height + 60);
}

TEST_CASE("a dense trace gives the input alone", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  const RetentionTrace dense = trace_from(4, {});
  const Image strip = draw_strip({image, 2, 2, dense}, {.title = "dense"});
  CHECK(strip.height < 420);
}

TEST_CASE("narrow and tiny images get room for their text", "[viz][strip]") {
  const RetentionTrace trace = trace_from(1, {site_from(0, "k")});
  CHECK(draw_strip({plain_image(1, 1, {9, 9, 9}), 1, 1, trace}).width > 460);
  const RetentionTrace tall = trace_from(8, {site_from(0, "kkkkdddd")});
  CHECK(draw_strip({colorful_image(8, 64), 8, 1, tall}).width > 460);
  const RetentionTrace wide = trace_from(8, {site_from(0, "kkkkdddd")});
  CHECK(draw_strip({colorful_image(64, 8), 1, 8, wide}).width > 2 * 280);
}

TEST_CASE("a strip refuses what makes no sense", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  const RetentionTrace trace = four_sites();
  const RetentionView view{image, 2, 2, trace};
  CHECK_THROWS_WITH(draw_strip(view, {}, {.max_columns = 0}), Catch::Contains("max_columns"));
  CHECK_THROWS_AS(draw_strip(view, {}, {.magnify = -1}), std::invalid_argument);
  CHECK_THROWS_AS(draw_strip({image, 1, 2, trace}), std::invalid_argument);
}

TEST_CASE("pictures are spread evenly over the rows", "[viz][strip]") {
  const Image image = colorful_image(28, 28);
  const RetentionTrace trace = four_sites();  // five pictures
  const RetentionView view{image, 2, 2, trace};
  const auto width_of = [](int columns) { return columns * 280 + (columns - 1) * 18 + 2 * 22; };
  CHECK(draw_strip(view, {}, {.max_columns = 4}).width == width_of(3));
  CHECK(draw_strip(view, {}, {.max_columns = 5}).width == width_of(5));
  CHECK(draw_strip(view, {}, {.max_columns = 1}).width == 460 + 2 * 22);
}
