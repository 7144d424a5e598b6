#include "tokensieve/viz/retention_view.h"

#include "picture.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

void validate(const RetentionView& view) {
  drawing::check_grid("retention_view", view.image, view.grid_height, view.grid_width);
  const int64_t tokens = view.trace.num_tokens;
  check_argument(tokens == int64_t{view.grid_height} * view.grid_width,
                 "[retention_view] expected one token for each patch, got ", tokens,
                 " tokens for a grid of ", view.grid_height, " x ", view.grid_width);
  for (const SiteTrace& site : view.trace.sites) {
    const size_t expected = static_cast<size_t>(tokens);
    check_argument(site.row.size() == expected && site.weight.size() == expected &&
                       site.score.size() == expected && site.fate.size() == expected,
                   "[retention_view] expected ", tokens, " rows, weights, scores and fates at ",
                   to_string(site.site), ", got ", site.row.size(), ", ", site.weight.size(), ", ",
                   site.score.size(), " and ", site.fate.size());
    check_argument(site.draws.empty() || site.draws.size() == expected,
                   "[retention_view] expected ", tokens, " draws or none at ", to_string(site.site),
                   ", got ", site.draws.size());
  }
}

}  // namespace tokensieve
