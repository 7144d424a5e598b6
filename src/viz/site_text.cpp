#include "site_text.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "number_text.h"
#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

FateCount count_fates(const SiteTrace& site) {
  FateCount count;
  std::set<int32_t> merged_rows, fused_rows;
  for (size_t i = 0; i < site.fate.size(); ++i) {
    switch (site.fate[i]) {
      case Fate::kept:
        ++count.kept;
        break;
      case Fate::dropped:
        ++count.dropped;
        break;
      case Fate::merged:
        ++count.merged;
        merged_rows.insert(site.row[i]);
        break;
      case Fate::fused:
        ++count.fused;
        fused_rows.insert(site.row[i]);
        break;
    }
  }
  count.merged_rows = static_cast<int64_t>(merged_rows.size());
  count.fused_rows = static_cast<int64_t>(fused_rows.size());
  return count;
}

bool leaves_inside_attention(const RetentionTrace& trace, int site, int token) {
  const SiteTrace& now = trace.sites[static_cast<size_t>(site)];
  const auto i = static_cast<size_t>(token);
  if (now.site.position != SitePosition::inside_attention) return false;
  if (now.fate[i] != Fate::dropped) return false;
  return site == 0 || trace.sites[static_cast<size_t>(site - 1)].fate[i] != Fate::dropped;
}

std::string site_caption(const SiteTrace& site) {
  const FateCount count = count_fates(site);
  const int64_t left = count.kept + count.merged_rows;
  const size_t tokens = site.fate.size();
  return cat("block ", site.site.layer, ": ", left, " of ", tokens, " tokens (",
             percent_text(static_cast<double>(left) / static_cast<double>(tokens), 0), ")");
}

std::string site_note(const SiteTrace& site) {
  const FateCount count = count_fates(site);
  std::string note(to_string(site.site.position));
  std::replace(note.begin(), note.end(), '_', ' ');
  if (!site.draws.empty()) {
    note += cat(", ", std::accumulate(site.draws.begin(), site.draws.end(), int64_t{0}), " draws");
  }
  if (count.dropped > 0) note += cat(", ", count.dropped, " dropped");
  const auto shared = [&](int64_t tokens, const char* how, int64_t rows) {
    if (tokens > 0) note += cat(", ", tokens, how, rows, rows == 1 ? " row" : " rows");
  };
  shared(count.merged, " merged into ", count.merged_rows);
  shared(count.fused, " fused into ", count.fused_rows);
  return note;
}

}  // namespace tokensieve::drawing
