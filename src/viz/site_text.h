#pragma once

#include <cstdint>
#include <string>

#include "tokensieve/core/retention_trace.h"

namespace tokensieve::drawing {

/// How many input tokens met which fate after a site.
struct FateCount {
  int64_t kept = 0;
  int64_t merged = 0;
  int64_t merged_rows = 0;  ///< Rows the merged ones share.
  int64_t fused = 0;
  int64_t fused_rows = 0;  ///< Rows the fused ones share.
  int64_t dropped = 0;
};
FateCount count_fates(const SiteTrace& site);

/// True for a token whose row leaves at this site of the trace, inside attention: the others attend
/// to it there once more.
bool leaves_inside_attention(const RetentionTrace& trace, int site, int token);

/// "block 3: 138 of 196 tokens (70%)"; a row of merged tokens counts as one.
std::string site_caption(const SiteTrace& site);
/// "after attention, 58 fused into 1 row"; "after attention, 23 merged into 10 rows".
std::string site_note(const SiteTrace& site);

}  // namespace tokensieve::drawing
