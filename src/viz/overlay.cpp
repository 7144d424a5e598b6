#include "tokensieve/viz/overlay.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "fate_style.h"
#include "picture.h"

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
    const cv::Mat1b kept = fate_mask(grid, trace, Fate::kept);
    const double unit = unit_for(picture.cols);
    dim(picture, ~kept);
    hatch(picture, fate_mask(grid, trace, Fate::fused), unit);
    if (options.grid) draw_grid_lines(picture, grid);
    tint(picture, outline_of(kept, static_cast<int>(std::lround(1.5 * unit))), {255, 255, 255},
         0.9);
  } else if (options.grid) {
    draw_grid_lines(picture, grid);
  }
  return to_image(picture);
}

}  // namespace tokensieve
