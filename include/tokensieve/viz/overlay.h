#pragma once

#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// How an overlay is drawn.
struct OverlayOptions {
  int magnify = 0;  ///< Whole factor the image is enlarged by; 0: the longer side gets 280 or more.
  bool grid = true;  ///< Faint lines between patches.
};

/// The image after site `site` (an index into `trace.sites`): kept tokens as they are, each group
/// of merged ones in its mean colour with a line around it, dropped ones dark and grey, fused ones
/// dark and grey under a hatch, a bright line around what was kept or merged. Tokens that leave
/// inside attention, where the others still attend to them, are grey and not dark at that site; of
/// a method that samples, a number says how often a token was drawn if it was more than once. Site
/// -1 is the input, where everything is kept. Returns RGB of the image's size times the factor.
/// Throws std::invalid_argument for a view that does not validate, a site that is not in the trace
/// or a factor out of range.
Image draw_overlay(const RetentionView& view, int site, const OverlayOptions& options = {});

}  // namespace tokensieve
