#include "site_text.h"

#include <algorithm>
#include <set>

#include "number_text.h"
#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

FateCount count_fates(const SiteTrace& site) {
  FateCount count;
  std::set<int32_t> fused_rows;
  for (size_t i = 0; i < site.fate.size(); ++i) {
    switch (site.fate[i]) {
      case Fate::kept:
        ++count.kept;
        break;
      case Fate::dropped:
        ++count.dropped;
        break;
      case Fate::fused:
        ++count.fused;
        fused_rows.insert(site.row[i]);
        break;
    }
  }
  count.fused_rows = static_cast<int64_t>(fused_rows.size());
  return count;
}

std::string site_caption(const SiteTrace& site) {
  const int64_t kept = count_fates(site).kept;
  const size_t tokens = site.fate.size();
  return cat("block ", site.site.layer, ": ", kept, " of ", tokens, " tokens (",
             percent_text(static_cast<double>(kept) / static_cast<double>(tokens), 0), ")");
}

std::string site_note(const SiteTrace& site) {
  const FateCount count = count_fates(site);
  std::string note(to_string(site.site.position));
  std::replace(note.begin(), note.end(), '_', ' ');
  if (count.dropped > 0) note += cat(", ", count.dropped, " dropped");
  if (count.fused > 0) {
    note += cat(", ", count.fused, " fused into ", count.fused_rows,
                count.fused_rows == 1 ? " row" : " rows");
  }
  return note;
}

}  // namespace tokensieve::drawing
