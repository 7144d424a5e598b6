#pragma once

#include "legend.h"
#include "picture.h"
#include "tokensieve/viz/heatmap.h"

/// Heat maps as the heat map functions and the strip both use them: picture, then legend.
namespace tokensieve::drawing {

/// One picture of a strip or of its own, and how it is laid out.
struct PanelLayout {
  PatchGrid grid;
  int magnify = 1;
  int width = 0;  ///< Of the column: the picture's, or more where text needs it.
  Metrics metrics;
};

/// The layout of pictures of this image. Throws std::invalid_argument for a bad factor.
PanelLayout panel_layout(std::string_view operation, const Image& image, int grid_height,
                         int grid_width, int magnify);

cv::Mat3b value_panel(const Image& image, std::span<const float> values, const PanelLayout& layout,
                      const HeatmapOptions& options);
cv::Mat3b dropped_at_panel(const RetentionView& view, const PanelLayout& layout,
                           const HeatmapOptions& options);

}  // namespace tokensieve::drawing
