#include "panel.h"

#include <algorithm>

namespace tokensieve::drawing {

cv::Mat3b white(int width, int height) {
  return cv::Mat3b(height, width, cv::Vec3b(255, 255, 255));
}

cv::Mat3b text_line(std::string_view text, const TextStyle& style, int width) {
  cv::Mat3b line = white(width, line_height(style));
  draw_text(line, fit_text(text, width, style), {0, text_baseline(style)}, style);
  return line;
}

cv::Mat3b stack_down(std::span<const cv::Mat3b> parts, int gap) {
  int width = 0, height = -gap;
  for (const cv::Mat3b& part : parts) {
    width = std::max(width, part.cols);
    height += part.rows + gap;
  }
  cv::Mat3b stack = white(width, std::max(height, 0));
  int y = 0;
  for (const cv::Mat3b& part : parts) {
    part.copyTo(stack(cv::Rect(0, y, part.cols, part.rows)));
    y += part.rows + gap;
  }
  return stack;
}

cv::Mat3b stack_across(std::span<const cv::Mat3b> parts, int gap) {
  int width = -gap, height = 0;
  for (const cv::Mat3b& part : parts) {
    width += part.cols + gap;
    height = std::max(height, part.rows);
  }
  cv::Mat3b stack = white(std::max(width, 0), height);
  int x = 0;
  for (const cv::Mat3b& part : parts) {
    part.copyTo(stack(cv::Rect(x, 0, part.cols, part.rows)));
    x += part.cols + gap;
  }
  return stack;
}

cv::Mat3b with_margin(const cv::Mat3b& picture, int margin) {
  cv::Mat3b framed = white(picture.cols + 2 * margin, picture.rows + 2 * margin);
  picture.copyTo(framed(cv::Rect({margin, margin}, picture.size())));
  return framed;
}

cv::Mat3b at_least_wide(const cv::Mat3b& picture, int width) {
  if (picture.cols >= width) return picture;
  cv::Mat3b padded = white(width, picture.rows);
  picture.copyTo(padded(cv::Rect({0, 0}, picture.size())));
  return padded;
}

}  // namespace tokensieve::drawing
