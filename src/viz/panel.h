#pragma once

#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

#include "text.h"

/// Pictures put together from pictures, on white.
namespace tokensieve::drawing {

/// Sizes that grow together with the pictures; see unit_for().
struct Metrics {
  double unit = 1.0;

  int pixels(double size) const { return static_cast<int>(size * unit + 0.5); }
  TextStyle title() const { return {11.5 * unit, 0.17, kInk}; }
  TextStyle strong() const { return {8.5 * unit, 0.165, kInk}; }
  TextStyle body() const { return {8.5 * unit, 0.125, kInk}; }
  TextStyle note() const { return {8.0 * unit, 0.125, kFaintInk}; }
};

cv::Mat3b white(int width, int height);
/// One line of text, cut to `width` pixels.
cv::Mat3b text_line(std::string_view text, const TextStyle& style, int width);
/// One under the other, left-aligned, `gap` pixels between; the widest sets the width.
cv::Mat3b stack_down(std::span<const cv::Mat3b> parts, int gap);
/// Side by side, top-aligned; the tallest sets the height.
cv::Mat3b stack_across(std::span<const cv::Mat3b> parts, int gap);
cv::Mat3b with_margin(const cv::Mat3b& picture, int margin);
/// Padded with white on the right to at least `width` pixels.
cv::Mat3b at_least_wide(const cv::Mat3b& picture, int width);

}  // namespace tokensieve::drawing
