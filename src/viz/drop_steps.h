#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/viz/colormap.h"

namespace tokensieve::drawing {

/// One colour of a "dropped at block" map.
struct DropStep {
  int block = -1;      ///< Where the tokens left; -1 for those that stayed.
  int64_t tokens = 0;  ///< How many.
  Color color;

  std::string text() const;  ///< "block 3: 58", "kept: 68".
};

/// The blocks of the trace that have a site, ascending, then what stayed: the darkest colour first.
std::vector<DropStep> drop_steps(const RetentionTrace& trace, Colormap map);

}  // namespace tokensieve::drawing
