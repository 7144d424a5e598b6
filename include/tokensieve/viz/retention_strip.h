#pragma once

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/heatmap.h"
#include "tokensieve/viz/retention_view.h"

namespace tokensieve {

/// How a strip is drawn.
struct StripOptions {
  int magnify = 0;  ///< Whole factor images are enlarged by; 0: the longer side gets 280 or more.
  int max_columns = 6;  ///< Pictures side by side, the input included, before a new row begins.
  bool grid = true;     ///< Faint lines between patches.
  /// Heat maps under the pictures: where each token left and, where the trace has scores, the score
  /// at each site.
  bool maps = true;
  Colormap colormap = Colormap::viridis;
  ValueScale scale = ValueScale::automatic;
};

/// The whole story of one image in one picture, on white: a header of `caption`; the input, with
/// "dropped at block" under it; then for each site what it kept ("block 3: 138 of 196 tokens
/// (70%)"), with the score it went by under it; legends with numbers. A dense trace gives the input
/// alone. Returns RGB. Throws std::invalid_argument for a view that does not validate or options
/// out of range.
Image draw_strip(const RetentionView& view, const RetentionCaption& caption = {},
                 const StripOptions& options = {});

}  // namespace tokensieve
