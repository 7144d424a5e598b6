#include "tokensieve/viz/retention_strip.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "fate_style.h"
#include "heatmap_panel.h"
#include "picture.h"
#include "site_text.h"
#include "strip_header.h"
#include "tokensieve/core/error.h"
#include "tokensieve/viz/overlay.h"

namespace tokensieve {

namespace {

using namespace drawing;

constexpr int kNarrowestHeader =
    460;  // in units: a strip of one picture still has a legible header

cv::Mat3b as_picture(const Image& image) {
  cv::Mat3b picture = white(image.width, image.height);
  std::copy(image.pixels.begin(), image.pixels.end(), picture.data);
  return picture;
}

/// A picture under one strong and one fainter line.
cv::Mat3b captioned(const std::string& caption, const std::string& note, const cv::Mat3b& picture,
                    const PanelLayout& layout) {
  const Metrics& metrics = layout.metrics;
  const std::vector<cv::Mat3b> parts = {text_line(caption, metrics.strong(), layout.width),
                                        text_line(note, metrics.note(), layout.width),
                                        white(1, metrics.pixels(5)),
                                        at_least_wide(picture, layout.width)};
  return stack_down(parts, 0);
}

bool has_scores(const SiteTrace& site) {
  return std::any_of(site.score.begin(), site.score.end(),
                     [](float s) { return std::isfinite(s); });
}

HeatmapOptions heatmap_options(const StripOptions& options) {
  HeatmapOptions heatmap;
  heatmap.magnify = options.magnify;
  heatmap.grid = options.grid;
  heatmap.colormap = options.colormap;
  heatmap.scale = options.scale;
  return heatmap;
}

/// The input and, below it, at which block each token left.
cv::Mat3b input_column(const RetentionView& view, const PanelLayout& layout,
                       const StripOptions& options) {
  const Image input = draw_overlay(view, -1, {layout.magnify, options.grid});
  std::vector<cv::Mat3b> parts = {
      captioned(cat("input: ", view.trace.num_tokens, " tokens"),
                cat(view.grid_width, " x ", view.grid_height, " patches, ", view.image.width, " x ",
                    view.image.height, " pixels"),
                as_picture(input), layout)};
  if (options.maps && !view.trace.sites.empty()) {
    parts.push_back(captioned("dropped at block", "tokens that lost their own row there",
                              dropped_at_panel(view, layout, heatmap_options(options)), layout));
  }
  return stack_down(parts, layout.metrics.pixels(14));
}

/// What a site kept and, below it, the scores it went by.
cv::Mat3b site_column(const RetentionView& view, int index, const PanelLayout& layout,
                      const StripOptions& options) {
  const SiteTrace& site = view.trace.sites[static_cast<size_t>(index)];
  const Image overlay = draw_overlay(view, index, {layout.magnify, options.grid});
  std::vector<cv::Mat3b> parts = {
      captioned(site_caption(site), site_note(site), as_picture(overlay), layout)};
  if (options.maps && has_scores(site)) {
    const bool merges = count_fates(site).merged > 0;
    parts.push_back(captioned(cat(site.score_name, " at block ", site.site.layer),
                              merges ? "high is merged" : "high is kept",
                              value_panel(view.image, site.score, layout, heatmap_options(options)),
                              layout));
  }
  return stack_down(parts, layout.metrics.pixels(14));
}

bool occurs(const RetentionTrace& trace, int64_t FateCount::*fate) {
  return std::any_of(trace.sites.begin(), trace.sites.end(),
                     [fate](const SiteTrace& site) { return count_fates(site).*fate > 0; });
}

bool any_leaves_inside_attention(const RetentionTrace& trace) {
  for (int site = 0; site < std::ssize(trace.sites); ++site) {
    for (int token = 0; token < trace.num_tokens; ++token) {
      if (leaves_inside_attention(trace, site, token)) return true;
    }
  }
  return false;
}

bool any_draws(const RetentionTrace& trace) {
  return std::any_of(trace.sites.begin(), trace.sites.end(),
                     [](const SiteTrace& site) { return !site.draws.empty(); });
}

/// The rim of a swatch.
cv::Mat1b outline(cv::Size size, double unit) {
  cv::Mat1b rim(size, uint8_t{255});
  const int width = std::max(1, static_cast<int>(std::lround(unit)));
  rim(cv::Rect(width, width, size.width - 2 * width, size.height - 2 * width)) = 0;
  return rim;
}

/// What bright, dark and hatched mean, where they occur.
cv::Mat3b fate_legend(const RetentionTrace& trace, int width, const Metrics& metrics) {
  const cv::Mat3b kept = swatch({196, 148, 84}, metrics);
  const cv::Mat1b all(kept.size(), uint8_t{255});
  cv::Mat3b dropped = kept.clone();
  dim(dropped, all);
  cv::Mat3b fused = dropped.clone();
  hatch(fused, all, metrics.unit);

  cv::Mat3b merged = kept.clone();
  tint(merged, outline(merged.size(), metrics.unit), {255, 255, 255}, 0.7);

  std::vector<LegendEntry> entries = {
      {kept, any_draws(trace) ? "kept; a number: drawn as often" : "kept"}};
  if (occurs(trace, &FateCount::merged)) {
    entries.push_back({merged, "merged: a group in its mean colour"});
  }
  if (any_leaves_inside_attention(trace)) {
    cv::Mat3b leaving = kept.clone();
    fade(leaving, all);
    entries.push_back({leaving, "leaves here, attended to once more"});
  }
  if (occurs(trace, &FateCount::dropped)) entries.push_back({dropped, "dropped"});
  if (occurs(trace, &FateCount::fused)) entries.push_back({fused, "fused with others"});
  return entry_legend(entries, width, metrics);
}

}  // namespace

Image draw_strip(const RetentionView& view, const RetentionCaption& caption,
                 const StripOptions& options) {
  validate(view);
  check_argument(options.max_columns >= 1, "[draw_strip] expected max_columns of at least 1, got ",
                 options.max_columns);
  const PanelLayout layout =
      panel_layout("draw_strip", view.image, view.grid_height, view.grid_width, options.magnify);
  const Metrics& metrics = layout.metrics;

  // As few rows as max_columns allows, as evenly filled as they can be.
  const int sites = static_cast<int>(view.trace.sites.size());
  const int row_count = sites / options.max_columns + 1;
  const int per_row = (sites + row_count) / row_count;
  std::vector<cv::Mat3b> rows, columns = {input_column(view, layout, options)};
  for (int i = 0; i < sites; ++i) {
    if (static_cast<int>(columns.size()) == per_row) {
      rows.push_back(stack_across(columns, metrics.pixels(18)));
      columns.clear();
    }
    columns.push_back(site_column(view, i, layout, options));
  }
  rows.push_back(stack_across(columns, metrics.pixels(18)));
  const cv::Mat3b pictures = stack_down(rows, metrics.pixels(24));

  const int width = std::max(pictures.cols, metrics.pixels(kNarrowestHeader));
  std::vector<cv::Mat3b> parts;
  const cv::Mat3b header = strip_header(caption, width, metrics);
  if (header.rows > 0) parts.push_back(header);
  parts.push_back(pictures);
  if (sites > 0) parts.push_back(fate_legend(view.trace, width, metrics));
  return to_image(with_margin(stack_down(parts, metrics.pixels(16)), metrics.pixels(22)));
}

}  // namespace tokensieve
