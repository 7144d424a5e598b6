#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/selector.h"

namespace tokensieve {

/// Which rank bins stay at each site. A site's candidates are ranked by score; of m, the one of
/// rank r (0 is the best) is in bin floor(r / (m + 1e-6) * bins).
using RankBins = std::vector<std::vector<bool>>;

/// "1110/1100": a digit a bin, best ranks first, sites joined by a slash. Throws
/// std::invalid_argument for other text.
RankBins parse_rank_bins(std::string_view text);
/// The text that parses to `bins`.
std::string rank_bins_text(const RankBins& bins);

/// What stays is what its rank's bin says (ToP, arXiv 2306.14393), whatever the number of rows.
/// Throws std::invalid_argument without a site, or with 0 or more than 1000 bins at one.
std::unique_ptr<Selector> rank_bins_selector(RankBins bins);

}  // namespace tokensieve
