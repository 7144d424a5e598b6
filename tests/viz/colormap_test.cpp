#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tokensieve/viz/colormap.h"

using namespace tokensieve;

namespace {

/// WCAG's relative luminance.
double luminance(Color color) {
  const auto linear = [](uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
}

}  // namespace

TEST_CASE("viridis and cividis have their published key colours", "[viz][colormap]") {
  CHECK(colormap_color(Colormap::viridis, 0.0) == Color{0x44, 0x01, 0x54});
  CHECK(colormap_color(Colormap::viridis, 0.25) == Color{0x3b, 0x52, 0x8b});
  CHECK(colormap_color(Colormap::viridis, 0.5) == Color{0x21, 0x91, 0x8c});
  CHECK(colormap_color(Colormap::viridis, 0.75) == Color{0x5c, 0xc8, 0x63});
  CHECK(colormap_color(Colormap::viridis, 1.0) == Color{0xfd, 0xe7, 0x25});
  CHECK(colormap_color(Colormap::cividis, 0.0) == Color{0x00, 0x22, 0x4e});
  CHECK(colormap_color(Colormap::cividis, 1.0) == Color{0xfe, 0xe8, 0x38});
}

TEST_CASE("both scales grow brighter all the way, so a grey print keeps the order",
          "[viz][colormap]") {
  const Colormap map = GENERATE(Colormap::viridis, Colormap::cividis);
  const auto& table = colormap_table(map);
  for (size_t i = 4; i < table.size(); ++i) CHECK(luminance(table[i]) > luminance(table[i - 4]));
}

TEST_CASE("values outside a scale get its ends", "[viz][colormap]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(colormap_color(Colormap::viridis, -1.0) == colormap_color(Colormap::viridis, 0.0));
  CHECK(colormap_color(Colormap::viridis, 7.0) == colormap_color(Colormap::viridis, 1.0));
  CHECK(colormap_color(Colormap::viridis, nan) == colormap_color(Colormap::viridis, 0.0));
}

TEST_CASE("steps spread over the whole scale", "[viz][colormap]") {
  CHECK(colormap_step(Colormap::viridis, 0, 4) == colormap_color(Colormap::viridis, 0.0));
  CHECK(colormap_step(Colormap::viridis, 1, 4) == colormap_color(Colormap::viridis, 1.0 / 3.0));
  CHECK(colormap_step(Colormap::viridis, 3, 4) == colormap_color(Colormap::viridis, 1.0));
  CHECK(colormap_step(Colormap::viridis, 0, 1) == colormap_color(Colormap::viridis, 1.0));
  CHECK_THROWS_AS(colormap_step(Colormap::viridis, 4, 4), std::invalid_argument);
  CHECK_THROWS_AS(colormap_step(Colormap::viridis, -1, 4), std::invalid_argument);
  CHECK_THROWS_AS(colormap_step(Colormap::viridis, 0, 0), std::invalid_argument);
}
