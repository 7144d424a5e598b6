#pragma once

#include <string>
#include <string_view>

#include "tokensieve/viz/colormap.h"
#include "tokensieve/viz/html_report.h"

/// What the pages of this module share.
namespace tokensieve::drawing {

/// A whole page: heading, `main` as it is, one script. `body_attributes` go into its body element.
std::string html_page(const ReportOptions& options, std::string_view body_attributes,
                      std::string_view main, std::string_view script);

/// What a run says: guesses with their probabilities, MACs, time.
std::string run_html(const char* name, const RunSummary& run);

std::string css_color(Color color);

}  // namespace tokensieve::drawing
