#pragma once

#include <opencv2/core.hpp>

#include "panel.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve::drawing {

/// The head of a strip, `width` pixels wide: title, recipe, then a line each for the dense and the
/// sieved run with its best guess, MACs and time. Empty (no rows) when the caption is.
cv::Mat3b strip_header(const RetentionCaption& caption, int width, const Metrics& metrics);

}  // namespace tokensieve::drawing
