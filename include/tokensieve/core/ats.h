#pragma once

#include <memory>
#include <vector>

#include "tokensieve/core/reducer.h"

namespace tokensieve {

/// Adaptive token sampling (ATS, arXiv 2111.15667): rows are sampled by inverse transform from the
/// class token's attention times the length of the row's value, so that each image keeps as many
/// rows as its scores are spread out. For sites inside attention: the query rows that were not
/// drawn leave, keys and values still hold all rows.
///
/// Scores are sorted and summed up, the sums scaled to [0, 1]; round(keep * tokens at the input),
/// but at least 8, evenly spaced numbers from the smallest sum above 0 to 1 are drawn, and each
/// picks the row with the nearest sum. What several numbers pick is kept once. `keep` is one rate
/// for all sites or one for each; throws std::invalid_argument unless each is in (0, 1].
std::unique_ptr<Reducer> ats_reducer(std::vector<double> keep);

}  // namespace tokensieve
