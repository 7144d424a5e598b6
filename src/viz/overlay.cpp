#include "tokensieve/viz/overlay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "fate_style.h"
#include "picture.h"
#include "site_text.h"
#include "text.h"

namespace tokensieve {

namespace {

using namespace drawing;

/// 255 on the patches with this fate.
cv::Mat1b fate_mask(const PatchGrid& grid, const SiteTrace& site, Fate fate) {
  cv::Mat1b mask(grid.picture(), uint8_t{0});
  for (int i = 0; i < grid.count(); ++i) {
    if (site.fate[static_cast<size_t>(i)] == fate) mask(grid.cell(i)) = 255;
  }
  return mask;
}

/// Every group of merged patches gets its mean colour, and lines where two rows meet.
void draw_groups(cv::Mat3b& picture, const PatchGrid& grid, const SiteTrace& site, double unit) {
  std::map<int32_t, std::vector<int>> groups;
  for (int i = 0; i < grid.count(); ++i) {
    const auto token = static_cast<size_t>(i);
    if (site.fate[token] == Fate::merged) groups[site.row[token]].push_back(i);
  }
  for (const auto& [row, patches] : groups) {
    cv::Scalar sum;
    for (const int patch : patches) sum += cv::mean(picture(grid.cell(patch)));
    for (const int patch : patches) {
      picture(grid.cell(patch)).setTo(sum / static_cast<double>(patches.size()));
    }
  }
  if (groups.empty()) return;
  cv::Mat1b borders(picture.size(), uint8_t{0});
  const int half = std::max(1, static_cast<int>(std::lround(0.5 * unit)));
  const auto meet = [&](int i, int j, cv::Rect edge) {
    const auto a = static_cast<size_t>(i), b = static_cast<size_t>(j);
    const bool group = site.fate[a] == Fate::merged || site.fate[b] == Fate::merged;
    if (group && site.row[a] != site.row[b]) borders(edge) = 255;
  };
  for (int i = 0; i < grid.count(); ++i) {
    const cv::Rect cell = grid.cell(i);
    if ((i + 1) % grid.width != 0) {
      meet(i, i + 1, {cell.x + cell.width - half, cell.y, 2 * half, cell.height});
    }
    if (i + grid.width < grid.count()) {
      meet(i, i + grid.width, {cell.x, cell.y + cell.height - half, cell.width, 2 * half});
    }
  }
  tint(picture, borders, {255, 255, 255}, 0.7);
}

/// 255 on the patches whose rows leave at this site and are attended to there.
cv::Mat1b leaving_mask(const PatchGrid& grid, const RetentionView& view, int site) {
  cv::Mat1b mask(grid.picture(), uint8_t{0});
  for (int i = 0; i < grid.count(); ++i) {
    if (leaves_inside_attention(view.trace, site, i)) mask(grid.cell(i)) = 255;
  }
  return mask;
}

/// How often each patch was drawn, if more than once, in its upper left corner.
void draw_counts(cv::Mat3b& picture, const PatchGrid& grid, const SiteTrace& site, double unit) {
  for (int i = 0; i < static_cast<int>(site.draws.size()); ++i) {
    const int32_t draws = site.draws[static_cast<size_t>(i)];
    if (draws < 2) continue;
    const cv::Rect cell = grid.cell(i);
    const double height = std::min(7.0 * unit, 0.5 * cell.height);
    const cv::Point at(cell.x + static_cast<int>(std::lround(2.5 * unit)),
                       cell.y + static_cast<int>(std::lround(height + 2.5 * unit)));
    draw_text(picture, std::to_string(draws), at, {height, 0.42, Color{20, 20, 20}});
    draw_text(picture, std::to_string(draws), at, {height, 0.16, Color{255, 255, 255}});
  }
}

/// The pixels just outside the kept patches, so that those stay untouched.
cv::Mat1b outline_of(const cv::Mat1b& kept, int thickness) {
  cv::Mat1b grown;
  const int side = 2 * thickness + 1;
  cv::dilate(kept, grown, cv::getStructuringElement(cv::MORPH_RECT, {side, side}));
  return grown & ~kept;
}

}  // namespace

Image draw_overlay(const RetentionView& view, int site, const OverlayOptions& options) {
  validate(view);
  const int magnify = resolve_magnify("draw_overlay", view.image, options.magnify);
  const PatchGrid grid = patch_grid(view.image, view.grid_height, view.grid_width, magnify);
  cv::Mat3b picture = enlarge(view.image, magnify);
  if (site != -1) {
    const SiteTrace& trace = site_of("draw_overlay", view, site);
    const cv::Mat1b kept =
        fate_mask(grid, trace, Fate::kept) | fate_mask(grid, trace, Fate::merged);
    const double unit = unit_for(picture.cols);
    draw_groups(picture, grid, trace, unit);
    const cv::Mat1b leaving = leaving_mask(grid, view, site);
    dim(picture, ~(kept | leaving));
    fade(picture, leaving);
    hatch(picture, fate_mask(grid, trace, Fate::fused), unit);
    if (options.grid) draw_grid_lines(picture, grid);
    tint(picture, outline_of(kept, static_cast<int>(std::lround(1.5 * unit))), {255, 255, 255},
         0.9);
    draw_counts(picture, grid, trace, unit);
  } else if (options.grid) {
    draw_grid_lines(picture, grid);
  }
  return to_image(picture);
}

}  // namespace tokensieve
