#pragma once

#include <array>
#include <cstdint>

namespace tokensieve {

/// An sRGB colour.
struct Color {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;

  bool operator==(const Color&) const = default;
};

/// Colour scales that run evenly from dark to bright, so that they read the same with every kind of
/// colour blindness and in a grey print.
enum class Colormap {
  viridis,  ///< Purple, green, yellow (van der Walt and Smith).
  cividis,  ///< Blue, grey, yellow (Nunez, Anderton and Renslow).
};

/// The 256 published colours of a scale, from dark to bright.
const std::array<Color, 256>& colormap_table(Colormap map);

/// The colour at `t` in [0, 1]: the nearest table entry. Values outside are clamped, NaN is 0.
Color colormap_color(Colormap map, double t);

/// Colour of step `step` of `steps` discrete ones, evenly spread over the whole scale, the first
/// the darkest; a single step is the brightest. Throws std::invalid_argument unless 0 <= step <
/// steps.
Color colormap_step(Colormap map, int step, int steps);

}  // namespace tokensieve
