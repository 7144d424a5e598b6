#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/retention_view.h"

/// What the pictures of this module share. OpenCV matrices hold RGB here, in that order.
namespace tokensieve::drawing {

/// Where the patches lie in an enlarged picture.
struct PatchGrid {
  int height = 0;  ///< Patches from top to bottom.
  int width = 0;
  cv::Size patch;  ///< Pixels of one patch.

  int count() const { return height * width; }
  cv::Size picture() const { return {width * patch.width, height * patch.height}; }
  /// The pixels of patch `index`, row-major.
  cv::Rect cell(int index) const {
    return {(index % width) * patch.width, (index / width) * patch.height, patch.width,
            patch.height};
  }
};

/// Throws std::invalid_argument unless the image has its pixels and the grid divides it.
void check_grid(std::string_view operation, const Image& image, int grid_height, int grid_width);

/// `magnify`, or for 0 the factor that brings the longer side to 280 pixels. Throws
/// std::invalid_argument when it is negative or makes a side longer than 8192 pixels.
int resolve_magnify(std::string_view operation, const Image& image, int magnify);

/// Site `site` of the trace. Throws std::invalid_argument when there is none.
const SiteTrace& site_of(std::string_view operation, const RetentionView& view, int site);

/// How much larger than at 280 pixels text, gaps and lines have to be beside a picture of this
/// width.
double unit_for(int picture_width);

PatchGrid patch_grid(const Image& image, int grid_height, int grid_width, int magnify);
cv::Mat3b enlarge(const Image& image, int magnify);
cv::Mat1b luma(const cv::Mat3b& picture);
Image to_image(const cv::Mat3b& picture);

inline cv::Vec3b pixel(Color color) { return {color.red, color.green, color.blue}; }

/// Mixes `color` into the pixels under `mask` with opacity `alpha`.
void tint(cv::Mat3b& picture, const cv::Mat1b& mask, Color color, double alpha);

/// Faint lines between patches, none where patches are smaller than 6 pixels.
void draw_grid_lines(cv::Mat3b& picture, const PatchGrid& grid);

}  // namespace tokensieve::drawing
