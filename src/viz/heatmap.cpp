#include "tokensieve/viz/heatmap.h"

#include "heatmap_panel.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

namespace {

using namespace drawing;

/// A heat map on a page of its own: title, panel, margin.
Image on_page(const cv::Mat3b& panel, const PanelLayout& layout, const std::string& title) {
  std::vector<cv::Mat3b> parts;
  if (!title.empty()) parts.push_back(text_line(title, layout.metrics.strong(), layout.width));
  parts.push_back(at_least_wide(panel, layout.width));
  return to_image(
      with_margin(stack_down(parts, layout.metrics.pixels(6)), layout.metrics.pixels(14)));
}

}  // namespace

Image draw_heatmap(const Image& image, int grid_height, int grid_width,
                   std::span<const float> values, const HeatmapOptions& options) {
  check_grid("draw_heatmap", image, grid_height, grid_width);
  const PanelLayout layout =
      panel_layout("draw_heatmap", image, grid_height, grid_width, options.magnify);
  check_argument(values.size() == static_cast<size_t>(layout.grid.count()),
                 "[draw_heatmap] expected ", layout.grid.count(), " values, one for each patch of ",
                 grid_height, " x ", grid_width, ", got ", values.size());
  return on_page(value_panel(image, values, layout, options), layout, options.title);
}

Image draw_score_map(const RetentionView& view, int site, const HeatmapOptions& options) {
  validate(view);
  return draw_heatmap(view.image, view.grid_height, view.grid_width,
                      site_of("draw_score_map", view, site).score, options);
}

Image draw_dropped_at_map(const RetentionView& view, const HeatmapOptions& options) {
  validate(view);
  const PanelLayout layout = panel_layout("draw_dropped_at_map", view.image, view.grid_height,
                                          view.grid_width, options.magnify);
  return on_page(dropped_at_panel(view, layout, options), layout, options.title);
}

}  // namespace tokensieve
