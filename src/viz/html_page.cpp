#include "html_page.h"

#include <algorithm>

#include "html_assets.h"
#include "html_text.h"
#include "number_text.h"
#include "tokensieve/core/error.h"

namespace tokensieve::drawing {

std::string html_page(const ReportOptions& options, std::string_view body_attributes,
                      std::string_view main, std::string_view script) {
  const std::string title = escape_html(options.title);
  // The policy forbids every load from outside, whatever the page should ever contain.
  std::string out = cat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>",
      title, "</title>\n<style>", kReportStyle, "</style></head>\n<body ", body_attributes,
      "><header><h1>", title, "</h1>");
  if (!options.subtitle.empty()) out += cat("<p>", escape_html(options.subtitle), "</p>");
  return out +
         cat("</header>\n<main>\n", main, "</main>\n<script>", script, "</script></body></html>\n");
}

std::string run_html(const char* name, const RunSummary& run) {
  std::string out = cat("<section class=\"run\"><h3>", name, "</h3><ol>");
  for (const Prediction& guess : run.top) {
    const std::string percent = percent_text(guess.probability);
    out += cat("<li><bdi>", escape_html(guess.label), "</bdi> <b>", percent,
               "</b><i style=\"width:", percent_text(std::clamp(guess.probability, 0.0, 1.0)),
               "\"></i></li>");
  }
  out += "</ol><p>";
  if (run.macs) out += macs_text(*run.macs);
  if (run.macs && run.milliseconds) out += " &middot; ";
  if (run.milliseconds) out += milliseconds_text(*run.milliseconds);
  return out + "</p></section>";
}

std::string css_color(Color color) {
  return cat("rgb(", int{color.red}, ' ', int{color.green}, ' ', int{color.blue}, ')');
}

}  // namespace tokensieve::drawing
