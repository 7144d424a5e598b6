#pragma once

#include <opencv2/core.hpp>
#include <span>
#include <string>

#include "panel.h"
#include "value_range.h"

namespace tokensieve::drawing {

/// A colour and what it stands for.
struct LegendEntry {
  cv::Mat3b swatch;  ///< Drawn as it is; may be empty.
  std::string text;
};

/// A square of one colour, as tall as a capital letter and a bit.
cv::Mat3b swatch(Color color, const Metrics& metrics);
/// Entries from left to right; in columns when they need more than one line of `width` pixels.
cv::Mat3b entry_legend(std::span<const LegendEntry> entries, int width, const Metrics& metrics);
/// The colours of a range from left to right, its ends and round values named underneath.
cv::Mat3b color_bar(const ValueRange& range, Colormap map, int width, const Metrics& metrics);

}  // namespace tokensieve::drawing
