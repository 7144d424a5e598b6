// Texts as a web page.

#include "html_assets.h"
#include "html_page.h"
#include "html_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"
#include "words.h"

namespace tokensieve {
namespace {

using namespace drawing;

/// Element content; line ends become elements.
std::string lines_html(std::string_view text) {
  const std::string plain = plain_text(text);
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t end = plain.find('\n', at);
    out += escape_html(plain.substr(at, end - at));
    if (end == std::string::npos) return out;
    out += "<br>";
    at = end + 1;
  }
}

/// A word that left carries its block, for the script, the pointer and a reader without colours.
std::string word_html(const Stretch& part, const WordStep& step) {
  if (step.block < 0) return cat("<b>", lines_html(part.text), "</b>");
  return cat("<i data-block=\"", step.block, "\" title=\"left at block ", step.block,
             "\" style=\"border-color:", css_color(step.color),
             ";--left:", static_cast<int>(100 * step.ink), "%\">", lines_html(part.text), "</i>");
}

std::string text_html(const TextView& view, const std::vector<WordFate>& words,
                      const std::vector<WordStep>& steps) {
  std::string out = "<p class=\"text\">";
  for (const Stretch& part : stretches(view, words)) {
    if (part.word) {
      out += word_html(part, step_of(steps, *part.word));
    } else if (part.unread) {
      out += cat("<s title=\"not read\">", lines_html(part.text), "</s>");
    } else {
      out += lines_html(part.text);
    }
  }
  return out + "</p>";
}

std::string legend_html(const TextView& view, const std::vector<WordStep>& steps) {
  std::string out = "<div class=\"legend\">";
  for (const WordStep& step : steps) {
    out += "<span>";
    if (step.block >= 0) out += cat("<i style=\"background:", css_color(step.color), "\"></i>");
    out += cat(step.text(), "</span>");
  }
  if (view.trace.exit_layer >= 0) out += cat("<span>", exit_text(view), "</span>");
  return out + "</div>";
}

std::string slider_html(const std::vector<WordStep>& steps) {
  if (steps.size() == 1) return "";
  std::string blocks;
  for (const WordStep& step : steps) {
    if (step.block >= 0) blocks += cat(blocks.empty() ? "" : ",", step.block);
  }
  return cat(
      "<div class=\"controls\" hidden><label class=\"site\"><span>Site</span>"
      "<input type=\"range\" min=\"0\" max=\"",
      steps.size() - 1, "\" value=\"", steps.size() - 1, "\" data-blocks=\"", blocks,
      "\"></label><output></output></div>");
}

std::string entry_html(const TextReportEntry& entry, std::size_t number) {
  const TextView& view = entry.view;
  const RetentionCaption& caption = entry.caption;
  const std::vector<WordFate> words = word_fates(view);
  const std::vector<WordStep> steps = word_steps(view, words, Colormap::viridis);
  const std::string title = caption.title.empty() ? cat("text ", number) : caption.title;
  std::string out = cat("<article><h2><bdi>", escape_html(title), "</bdi></h2>");
  if (!caption.recipe.empty()) {
    out += cat("<p class=\"recipe\"><code>", escape_html(caption.recipe), "</code></p>");
  }
  out += cat(text_html(view, words, steps), legend_html(view, steps), slider_html(steps),
             "<div class=\"runs\">");
  if (caption.dense) out += run_html("dense", *caption.dense);
  if (caption.sieved) out += run_html("sieved", *caption.sieved);
  return out + "</div></article>\n";
}

/// At a slider's place, only the words that have left by then are faded.
constexpr char kScript[] = R"js(
for (const article of document.querySelectorAll("article")) {
  const slider = article.querySelector("input[type=range]");
  if (!slider) continue;
  const blocks = slider.dataset.blocks.split(",").map(Number);
  const words = article.querySelectorAll(".text [data-block]");
  const all = article.querySelectorAll(".text b").length + words.length;
  const show = () => {
    const last = slider.value > 0 ? blocks[slider.value - 1] : -1;
    let gone = 0;
    for (const word of words) {
      const left = Number(word.dataset.block) <= last;
      word.classList.toggle("here", !left);
      gone += left;
    }
    article.querySelector("output").textContent = last < 0
      ? `input: ${all} words` : `block ${last}: ${all - gone} of ${all} words`;
  };
  slider.addEventListener("input", show);
  article.querySelector(".controls").hidden = false;
  show();
}
)js";

}  // namespace

std::string text_html_report(std::span<const TextReportEntry> entries,
                             const ReportOptions& options) {
  std::string articles;
  for (std::size_t i = 0; i < entries.size(); ++i) articles += entry_html(entries[i], i + 1);
  return html_page(options, "class=\"texts\"", articles, kScript);
}

void write_text_html_report(const std::filesystem::path& path,
                            std::span<const TextReportEntry> entries,
                            const ReportOptions& options) {
  write_text_file(path, text_html_report(entries, options));
}

}  // namespace tokensieve
