#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <string_view>

#include "tokensieve/viz/colormap.h"

namespace tokensieve::drawing {

inline constexpr Color kInk{31, 41, 55};         ///< Text that matters.
inline constexpr Color kFaintInk{95, 104, 118};  ///< Text beside it.

struct TextStyle {
  double cap_height = 9.0;  ///< Height of a capital letter, in pixels.
  double weight = 0.14;     ///< Stroke, in capital heights.
  Color color = kInk;
};

/// Text as this module can draw it: printable ASCII, each other code point (or stray byte) a '?'.
std::string drawable(std::string_view text);

/// Pixels `text` is wide.
int text_width(std::string_view text, const TextStyle& style);
/// Pixels from one line to the next.
int line_height(const TextStyle& style);
/// Pixels from the top of a line to where its capitals stand.
int text_baseline(const TextStyle& style);

/// Draws `text` with its left end at `x` and its capitals standing on `baseline`; what falls
/// outside the picture is cut off.
void draw_text(cv::Mat3b& picture, std::string_view text, cv::Point at, const TextStyle& style);

/// `text`, or as much of its beginning as fits into `width` pixels with "..." after it.
std::string fit_text(std::string_view text, int width, const TextStyle& style);

}  // namespace tokensieve::drawing
