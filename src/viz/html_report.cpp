#include "tokensieve/viz/html_report.h"

#include "drop_steps.h"
#include "html_assets.h"
#include "html_page.h"
#include "html_text.h"
#include "number_text.h"
#include "site_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"
#include "value_range.h"

namespace tokensieve {

namespace {

using namespace drawing;

constexpr Colormap kMap = Colormap::viridis;

/// "[a,b,c]" of what `print` makes of each value.
template <typename Values, typename Print>
std::string json_array(const Values& values, Print print) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ',';
    out += print(value);
  }
  return out + ']';
}

char fate_letter(Fate fate) { return "kmfd"[static_cast<size_t>(fate)]; }

/// The ends of the colour scale of the scores, or null.
std::string range_json(const ValueRange& range) {
  if (range.empty) return "null";
  return cat("{\"low\":", json_number(static_cast<float>(range.low)),
             ",\"high\":", json_number(static_cast<float>(range.high)),
             ",\"log\":", range.logarithmic ? "true" : "false", '}');
}

std::string site_json(const SiteTrace& site) {
  std::string fates;
  for (const Fate fate : site.fate) fates += fate_letter(fate);
  return cat(
      "{\"caption\":", json_string(site_caption(site)), ",\"note\":", json_string(site_note(site)),
      ",\"fate\":\"", fates,
      "\",\"row\":", json_array(site.row, [](int32_t row) { return std::to_string(row); }),
      ",\"weight\":", json_array(site.weight, json_number),
      ",\"score\":", json_array(site.score, json_number),
      ",\"scoreName\":", json_string(site.score_name),
      ",\"draws\":", json_array(site.draws, [](int32_t n) { return std::to_string(n); }),
      ",\"inside\":", site.site.position == SitePosition::inside_attention ? "true" : "false",
      ",\"range\":", range_json(range_of(site.score, ValueScale::automatic)), '}');
}

/// What the script needs of one image.
std::string trace_json(const RetentionView& view) {
  const auto step_json = [](const DropStep& step) {
    return cat("{\"block\":", step.block, ",\"text\":", json_string(step.text()),
               ",\"color\":", json_string(css_color(step.color)), '}');
  };
  return cat("{\"gridHeight\":", view.grid_height, ",\"gridWidth\":", view.grid_width,
             ",\"droppedAt\":",
             json_array(view.trace.dropped_at(), [](int block) { return std::to_string(block); }),
             ",\"steps\":", json_array(drop_steps(view.trace, kMap), step_json),
             ",\"sites\":", json_array(view.trace.sites, site_json), '}');
}

std::string sites_html(const RetentionTrace& trace) {
  if (trace.sites.empty()) {
    return cat("<p>Dense: all ", trace.num_tokens, " tokens stay to the end.</p>");
  }
  std::string out =
      "<table><thead><tr><th>site</th><th>kept</th><th>merged</th><th>fused</th><th>dropped</"
      "th><th>rows</th>"
      "</tr></thead><tbody>";
  for (const SiteTrace& site : trace.sites) {
    const FateCount count = count_fates(site);
    const double share =
        static_cast<double>(count.kept + count.merged_rows) / static_cast<double>(trace.num_tokens);
    out += cat("<tr><th>", to_string(site.site), "</th><td>", count.kept, " <small>",
               percent_text(share, 0), "</small></td><td>", count.merged, "</td><td>", count.fused,
               "</td><td>", count.dropped, "</td><td>", site.rows, "</td></tr>");
  }
  return out + "</tbody></table>";
}

/// Everything the script fills or listens to; hidden where scripts do not run.
std::string controls_html(size_t number, size_t sites) {
  const auto view = [number](const char* value, const char* text, const char* more) {
    return cat("<label><input type=\"radio\" name=\"view-", number, "\" value=\"", value, "\"",
               more, "> ", text, "</label>");
  };
  return cat(
      "<div class=\"controls\" hidden><label class=\"site\"><span>Site</span><input type=\"range\" "
      "min=\"0\" max=\"",
      sites, "\" value=\"", sites, "\"", sites == 0 ? " disabled" : "",
      "></label><output></output><fieldset><legend>Show</legend>",
      view("kept", "kept tokens", " checked"), view("score", "score", ""),
      view("dropped", "dropped at block", ""), "</fieldset></div>");
}

std::string entry_html(const ReportEntry& entry, size_t number) {
  const RetentionView& view = entry.view;
  const RetentionCaption& caption = entry.caption;
  const std::string title = caption.title.empty() ? cat("image ", number) : caption.title;
  std::string out = cat("<article><h2><bdi>", escape_html(title), "</bdi></h2>");
  if (!caption.recipe.empty()) {
    out += cat("<p class=\"recipe\"><code>", escape_html(caption.recipe), "</code></p>");
  }
  out += cat("<div class=\"columns\"><figure><img width=\"", view.image.width, "\" height=\"",
             view.image.height, "\" alt=\"", escape_html(title), "\" src=\"",
             png_data_uri(encode_png(view.image)),
             "\"><div class=\"legend\"></div><figcaption role=\"status\"></figcaption></figure>"
             "<div class=\"facts\">",
             controls_html(number, view.trace.sites.size()), "<div class=\"runs\">");
  if (caption.dense) out += run_html("dense", *caption.dense);
  if (caption.sieved) out += run_html("sieved", *caption.sieved);
  out += cat("</div>", sites_html(view.trace), "</div></div>");
  for (const ReportFigure& figure : entry.figures) {
    out += cat("<figure class=\"more\"><h3>", escape_html(figure.title), "</h3><img alt=\"",
               escape_html(figure.title), "\" src=\"", png_data_uri(encode_png(figure.image)),
               "\"></figure>");
  }
  return out + cat("<script type=\"application/json\">", trace_json(view), "</script></article>\n");
}

/// The colour scale as the script reads it: six hexadecimal digits a colour.
std::string colormap_hex() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const Color& color : colormap_table(kMap)) {
    for (const uint8_t value : {color.red, color.green, color.blue}) {
      out += kDigits[value >> 4];
      out += kDigits[value & 15];
    }
  }
  return out;
}

}  // namespace

std::string html_report(std::span<const ReportEntry> entries, const ReportOptions& options) {
  std::string articles;
  for (size_t i = 0; i < entries.size(); ++i) {
    validate(entries[i].view);
    articles += entry_html(entries[i], i + 1);
  }
  return html_page(options, cat("data-colormap=\"", colormap_hex(), '"'), articles, kReportScript);
}

void write_html_report(const std::filesystem::path& path, std::span<const ReportEntry> entries,
                       const ReportOptions& options) {
  write_text_file(path, html_report(entries, options));
}

}  // namespace tokensieve
