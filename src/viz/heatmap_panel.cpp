#include "heatmap_panel.h"

#include <algorithm>
#include <map>
#include <optional>

#include "drop_steps.h"
#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

namespace {

constexpr double kColorShare = 0.7;       // of a heat map's pixel; the rest is the grey image
constexpr Color kNoValue{226, 228, 232};  // far from every colour of the scales
constexpr int kNarrowestColumn = 240;     // in units: captions stay readable

/// The colour of each patch; nothing for a patch without a value.
using PatchColors = std::vector<std::optional<Color>>;

cv::Mat3b paint(const Image& image, const PatchColors& colors, const PanelLayout& layout,
                bool grid_lines) {
  cv::Mat3b picture = enlarge(image, layout.magnify);
  const cv::Mat1b grey = luma(picture);
  for (int i = 0; i < layout.grid.count(); ++i) {
    const auto& color = colors[static_cast<size_t>(i)];
    const cv::Rect cell = layout.grid.cell(i);
    const cv::Vec3d ink = pixel(color.value_or(kNoValue));
    for (int y = cell.y; y < cell.br().y; ++y) {
      for (int x = cell.x; x < cell.br().x; ++x) {
        const double shade = (1.0 - kColorShare) * grey(y, x);
        picture(y, x) = cv::Vec3b(ink * kColorShare + cv::Vec3d(shade, shade, shade));
      }
    }
  }
  if (grid_lines) draw_grid_lines(picture, layout.grid);
  return picture;
}

}  // namespace

PanelLayout panel_layout(std::string_view operation, const Image& image, int grid_height,
                         int grid_width, int magnify) {
  PanelLayout layout;
  layout.magnify = resolve_magnify(operation, image, magnify);
  layout.grid = patch_grid(image, grid_height, grid_width, layout.magnify);
  layout.metrics = {unit_for(layout.grid.picture().width)};
  layout.width = std::max(layout.grid.picture().width, layout.metrics.pixels(kNarrowestColumn));
  return layout;
}

cv::Mat3b value_panel(const Image& image, std::span<const float> values, const PanelLayout& layout,
                      const HeatmapOptions& options) {
  const ValueRange range = range_of(values, options.scale);
  PatchColors colors(values.size());
  int64_t without = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (range.has(values[i])) {
      colors[i] = colormap_color(options.colormap, range.position(values[i]));
    } else {
      ++without;
    }
  }
  std::vector<cv::Mat3b> parts = {paint(image, colors, layout, options.grid)};
  if (!range.empty)
    parts.push_back(color_bar(range, options.colormap, layout.width, layout.metrics));
  std::vector<LegendEntry> notes;
  if (without > 0) notes.push_back({swatch(kNoValue, layout.metrics), cat("no value: ", without)});
  if (range.logarithmic) notes.push_back({{}, "logarithmic scale"});
  if (!notes.empty()) parts.push_back(entry_legend(notes, layout.width, layout.metrics));
  return stack_down(parts, layout.metrics.pixels(6));
}

cv::Mat3b dropped_at_panel(const RetentionView& view, const PanelLayout& layout,
                           const HeatmapOptions& options) {
  std::map<int, Color> color_of;
  std::vector<LegendEntry> entries;
  for (const DropStep& step : drop_steps(view.trace, options.colormap)) {
    color_of[step.block] = step.color;
    entries.push_back({swatch(step.color, layout.metrics), step.text()});
  }
  const std::vector<int> dropped_at = view.trace.dropped_at();
  PatchColors colors(dropped_at.size());
  std::transform(dropped_at.begin(), dropped_at.end(), colors.begin(),
                 [&](int block) { return color_of.at(block); });
  const std::vector<cv::Mat3b> parts = {paint(view.image, colors, layout, options.grid),
                                        entry_legend(entries, layout.width, layout.metrics)};
  return stack_down(parts, layout.metrics.pixels(6));
}

}  // namespace tokensieve::drawing
