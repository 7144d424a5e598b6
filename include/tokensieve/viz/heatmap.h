#pragma once

#include <span>
#include <string>

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// How values become colours.
enum class ValueScale {
  automatic,  ///< Logarithmic when all values are positive and the largest is 10 times the median.
  linear,     ///< From the smallest to the largest value.
  logarithmic,  ///< The same for logarithms; values that are not positive are drawn like NaN.
};

/// How a heat map is drawn.
struct HeatmapOptions {
  int magnify = 0;  ///< Whole factor the image is enlarged by; 0: the longer side gets 280 or more.
  bool grid = true;  ///< Faint lines between patches.
  Colormap colormap = Colormap::viridis;
  ValueScale scale = ValueScale::automatic;  ///< For values; steps have none.
  std::string title = {};                    ///< Printed above; "" leaves no room for it.
};

/// One value for each patch as colour over the grey image, with a colour bar underneath that names
/// the smallest, largest and a few round values. Values that are not finite stay pale and grey and
/// have an entry of their own. `values` `[grid_height * grid_width]`, row-major.
/// Returns RGB: title, picture and legend on white. Throws std::invalid_argument when the grid does
/// not divide the image, the number of values is not the grid's or the factor is out of range.
Image draw_heatmap(const Image& image, int grid_height, int grid_width,
                   std::span<const float> values, const HeatmapOptions& options = {});

/// draw_heatmap() of the scores at site `site`; SiteTrace::score_name says what they are. Throws
/// std::invalid_argument for a view that does not validate or a site that is not in the trace.
Image draw_score_map(const RetentionView& view, int site, const HeatmapOptions& options = {});

/// At which block each token stopped having a row of its own, as colour steps over the grey image:
/// the earlier, the darker; what stayed to the end is the brightest. The legend names each block
/// with its number of tokens. Throws std::invalid_argument for a view that does not validate.
Image draw_dropped_at_map(const RetentionView& view, const HeatmapOptions& options = {});

}  // namespace tokensieve
