// A text as a picture.

#include <algorithm>
#include <cmath>

#include "html_text.h"
#include "legend.h"
#include "panel.h"
#include "picture.h"
#include "strip_header.h"
#include "tokensieve/core/error.h"
#include "words.h"

namespace tokensieve {
namespace {

using namespace drawing;

constexpr std::size_t kMaxBytes = 20'000;  // 200 lines or so
constexpr int kMinWidth = 200, kMaxWidth = 4000;

Color mixed(Color ink, double share) {
  const auto mix = [share](std::uint8_t value) {
    return static_cast<std::uint8_t>(std::lround(255 - (255 - value) * share));
  };
  return {mix(ink.red), mix(ink.green), mix(ink.blue)};
}

/// Lines of words, one growing below the other.
class Paragraph {
 public:
  Paragraph(int width, const Metrics& metrics) : width_(width), metrics_(metrics) {}

  /// Sets a piece of text after the last one, on the next line if it does not fit on this one.
  void set(const std::string& text, const TextStyle& style, const Color* underline) {
    const int needed = text_width(text, style);
    if (x_ > 0 && x_ + needed > width_) break_line();
    draw_text(line(), text, {x_, text_baseline(style)}, style);
    if (underline) {
      const int top = text_baseline(style) + metrics_.pixels(3.5);
      cv::Mat3b bar =
          line()(cv::Rect(x_, top, needed, metrics_.pixels(2)) & cv::Rect({0, 0}, line().size()));
      bar = pixel(*underline);
    }
    x_ += needed;
  }

  void space() { x_ += metrics_.pixels(4.5); }
  void break_line() {
    line();
    x_ = 0;
    open_ = false;
  }
  cv::Mat3b picture() const { return stack_down(lines_, metrics_.pixels(1)); }

 private:
  cv::Mat3b& line() {
    if (!open_) lines_.push_back(white(width_, metrics_.pixels(23)));
    open_ = true;
    return lines_.back();
  }

  int width_, x_ = 0;
  bool open_ = false;
  const Metrics& metrics_;
  std::vector<cv::Mat3b> lines_;
};

/// Words of a stretch in one style; white space between them may break lines.
void set_stretch(Paragraph& paragraph, const std::string& text, const TextStyle& style,
                 const Color* underline) {
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == ' ' || c == '\n') {
      c == ' ' ? paragraph.space() : paragraph.break_line();
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    paragraph.set(text.substr(at, end - at), style, underline);
    at = end;
  }
}

cv::Mat3b draw_words(const TextView& view, const std::vector<WordFate>& words,
                     const std::vector<WordStep>& steps, int width, const Metrics& metrics) {
  Paragraph paragraph(width, metrics);
  TextStyle faint = metrics.body();
  faint.color = mixed(kInk, 0.2);
  for (const Stretch& part : stretches(view, words)) {
    const std::string text = plain_text(part.text);
    if (!part.word) {
      set_stretch(paragraph, text, part.unread ? faint : metrics.body(), nullptr);
      continue;
    }
    const WordStep& step = step_of(steps, *part.word);
    TextStyle style = step.block < 0 ? metrics.strong() : metrics.body();
    style.color = mixed(kInk, step.ink);
    set_stretch(paragraph, text, style, step.block < 0 ? nullptr : &step.color);
  }
  return paragraph.picture();
}

cv::Mat3b draw_legend(const TextView& view, const std::vector<WordStep>& steps, int width,
                      const Metrics& metrics) {
  std::vector<LegendEntry> entries;
  for (const WordStep& step : steps) {
    entries.push_back({step.block < 0 ? cv::Mat3b() : swatch(step.color, metrics), step.text()});
  }
  if (view.trace.exit_layer >= 0) entries.push_back({cv::Mat3b(), exit_text(view)});
  return entry_legend(entries, width, metrics);
}

}  // namespace

Image draw_text_strip(const TextView& view, const RetentionCaption& caption,
                      const TextStripOptions& options) {
  check_argument(options.width >= kMinWidth && options.width <= kMaxWidth,
                 "[text_strip] expected a width from ", kMinWidth, " to ", kMaxWidth, ", got ",
                 options.width);
  check_argument(view.text.size() <= kMaxBytes, "[text_strip] expected a text of at most ",
                 kMaxBytes, " bytes to draw, got ", view.text.size(),
                 "; an HTML page has room for it");
  const std::vector<WordFate> words = word_fates(view);
  const std::vector<WordStep> steps = word_steps(view, words, options.colormap);
  const Metrics metrics;
  const int margin = metrics.pixels(18), width = options.width - 2 * margin;
  std::vector<cv::Mat3b> parts;
  if (const cv::Mat3b header = strip_header(caption, width, metrics); !header.empty()) {
    parts.push_back(header);
  }
  if (!view.text.empty()) parts.push_back(draw_words(view, words, steps, width, metrics));
  parts.push_back(draw_legend(view, steps, width, metrics));
  return to_image(with_margin(stack_down(parts, metrics.pixels(14)), margin));
}

}  // namespace tokensieve
