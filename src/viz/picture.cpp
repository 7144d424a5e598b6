#include "picture.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

namespace {
constexpr int kComfortableSide = 280;
constexpr int kMaxSide = 8192;
constexpr int kSmallestPatchWithLines = 6;
}  // namespace

void check_grid(std::string_view operation, const Image& image, int grid_height, int grid_width) {
  check_argument(
      image.width > 0 && image.height > 0 && image.width <= kMaxSide && image.height <= kMaxSide,
      "[", operation, "] expected an image of 1 to ", kMaxSide, " pixels a side, got ", image.width,
      " x ", image.height);
  const size_t bytes =
      size_t{3} * static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  check_argument(image.pixels.size() == bytes, "[", operation, "] expected ", bytes,
                 " bytes of RGB for ", image.width, " x ", image.height, " pixels, got ",
                 image.pixels.size());
  check_argument(grid_height > 0 && grid_width > 0 && image.height % grid_height == 0 &&
                     image.width % grid_width == 0,
                 "[", operation, "] expected a grid that divides the image of ", image.height,
                 " x ", image.width, " pixels (height x width), got ", grid_height, " x ",
                 grid_width, "; pass the image as it was cropped for the network");
}

int resolve_magnify(std::string_view operation, const Image& image, int magnify) {
  const int longer = std::max(image.width, image.height);
  if (magnify == 0) return (kComfortableSide + longer - 1) / longer;
  check_argument(magnify > 0 && magnify <= kMaxSide / longer, "[", operation,
                 "] expected magnify from 1 to ", kMaxSide / longer, ", or 0 to choose, got ",
                 magnify);
  return magnify;
}

const SiteTrace& site_of(std::string_view operation, const RetentionView& view, int site) {
  const int count = static_cast<int>(view.trace.sites.size());
  check_argument(site >= 0 && site < count, "[", operation, "] expected one of the trace's ", count,
                 " sites, counted from 0, got ", site);
  return view.trace.sites[static_cast<size_t>(site)];
}

double unit_for(int picture_width) {
  return std::clamp(static_cast<double>(picture_width) / kComfortableSide, 1.0, 4.0);
}

PatchGrid patch_grid(const Image& image, int grid_height, int grid_width, int magnify) {
  return {grid_height, grid_width,
          cv::Size(image.width / grid_width, image.height / grid_height) * magnify};
}

cv::Mat3b enlarge(const Image& image, int magnify) {
  // OpenCV has no read-only matrix; this one is only read.
  const cv::Mat3b source(image.height, image.width,
                         reinterpret_cast<cv::Vec3b*>(const_cast<uint8_t*>(image.pixels.data())));
  if (magnify == 1) return source.clone();
  cv::Mat3b enlarged;
  cv::resize(source, enlarged, {}, magnify, magnify, cv::INTER_CUBIC);
  return enlarged;
}

cv::Mat1b luma(const cv::Mat3b& picture) {
  cv::Mat1b grey;
  cv::cvtColor(picture, grey, cv::COLOR_RGB2GRAY);
  return grey;
}

Image to_image(const cv::Mat3b& picture) {
  Image image{picture.cols, picture.rows, {}};
  image.pixels.reserve(picture.total() * 3);
  for (int y = 0; y < picture.rows; ++y) {
    const uint8_t* row = picture.ptr(y);
    image.pixels.insert(image.pixels.end(), row, row + size_t{3} * picture.cols);
  }
  return image;
}

void tint(cv::Mat3b& picture, const cv::Mat1b& mask, Color color, double alpha) {
  const cv::Vec3b ink = pixel(color);
  picture.forEach([&](cv::Vec3b& p, const int* at) {
    const double a = alpha * mask(at[0], at[1]) / 255.0;
    if (a > 0.0) p = cv::Vec3b(cv::Vec3d(p) * (1.0 - a) + cv::Vec3d(ink) * a);
  });
}

void draw_grid_lines(cv::Mat3b& picture, const PatchGrid& grid) {
  if (std::min(grid.patch.width, grid.patch.height) < kSmallestPatchWithLines) return;
  const int thickness = static_cast<int>(std::lround(unit_for(picture.cols)));
  cv::Mat1b lines(picture.size(), uint8_t{0});
  for (int x = 1; x < grid.width; ++x) {
    lines.colRange(x * grid.patch.width - thickness / 2 - thickness % 2,
                   x * grid.patch.width + thickness / 2) = 255;
  }
  for (int y = 1; y < grid.height; ++y) {
    lines.rowRange(y * grid.patch.height - thickness / 2 - thickness % 2,
                   y * grid.patch.height + thickness / 2) = 255;
  }
  tint(picture, lines, {255, 255, 255}, 0.16);
}

}  // namespace tokensieve::drawing
