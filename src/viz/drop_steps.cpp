#include "drop_steps.h"

#include <algorithm>
#include <set>

#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

std::string DropStep::text() const {
  return block < 0 ? cat("kept: ", tokens) : cat("block ", block, ": ", tokens);
}

std::vector<DropStep> drop_steps(const RetentionTrace& trace, Colormap map) {
  std::set<int> blocks;
  for (const SiteTrace& site : trace.sites) blocks.insert(site.site.layer);
  std::vector<DropStep> steps;
  for (const int block : blocks) steps.push_back({block, 0, {}});
  steps.push_back({});

  const std::vector<int> dropped_at = trace.dropped_at();
  const int count = static_cast<int>(steps.size());
  for (int i = 0; i < count; ++i) {
    DropStep& step = steps[static_cast<size_t>(i)];
    step.tokens = std::count(dropped_at.begin(), dropped_at.end(), step.block);
    step.color = colormap_step(map, i, count);
  }
  return steps;
}

}  // namespace tokensieve::drawing
