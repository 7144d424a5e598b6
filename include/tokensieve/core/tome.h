#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tokensieve/core/reducer.h"

namespace tokensieve {

/// Rows that ToMe merges at each of `sites` sites around a mean of `r`: they change evenly from
/// int(r (1 - inflection)) to what makes the mean r. 0 is constant, -1 falls from 2 r to 0, 1
/// rises. Throws std::invalid_argument for a negative r, an inflection outside [-1, 1] or no site.
std::vector<int64_t> tome_schedule(int64_t r, double inflection, int64_t sites);

/// Token merging (ToMe, arXiv 2210.09461). The rows of a sample are cut into two sets by position,
/// even and odd; every even row looks for the odd row whose key (mean over heads, unit length) is
/// the most similar, and the `r` most similar pairs merge: their row is the mean weighted by how
/// many tokens each holds. At most half of the rows after the prefix leave at a site. Output
/// order: prefix rows, even rows that are left, odd rows.
///
/// `r` is one number for all sites or one for each, 0 where it is shorter. With `proportional`,
/// attention after the merges adds log(size of a row) to the logits of its key. Throws
/// std::invalid_argument for a negative r or none.
std::unique_ptr<Reducer> tome_reducer(std::vector<int64_t> r, bool proportional = true);

}  // namespace tokensieve
