#include "text.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "picture.h"

namespace tokensieve::drawing {

namespace {

// OpenCV's stroke font looks rough at its own resolution: letters are drawn this many times larger
// and averaged down.
constexpr int kSupersample = 8;
constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kFontCapHeight = 21.0;  // of the font at scale 1
constexpr double kSpaceWidth = 0.42;     // in capital heights
constexpr size_t kMaxDrawn = 1000;       // characters; no picture is wider

double font_scale(const TextStyle& style) {
  return style.cap_height * kSupersample / kFontCapHeight;
}

int stroke(const TextStyle& style) {
  return std::max(1, static_cast<int>(std::lround(style.cap_height * style.weight * kSupersample)));
}

/// Calls `place(word, x)` for each word of `text` and returns the width, both supersampled. The
/// font's own space is as wide as a letter; this one is narrower.
template <typename Place>
int lay_out(const std::string& text, const TextStyle& style, Place place) {
  const int space = static_cast<int>(style.cap_height * kSpaceWidth * kSupersample);
  int x = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      x += space;
      ++at;
      continue;
    }
    const std::string word = text.substr(at, text.find(' ', at) - at);
    place(word, x);
    int below = 0;
    x += cv::getTextSize(word, kFont, font_scale(style), stroke(style), &below).width;
    at += word.size();
  }
  return x;
}

}  // namespace

std::string drawable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else if ((byte & 0xc0) != 0x80) {  // not the tail of a code point that has its '?' already
      out += '?';
    }
    if (out.size() == kMaxDrawn) break;
  }
  return out;
}

int text_width(std::string_view text, const TextStyle& style) {
  const int width = lay_out(drawable(text), style, [](const std::string&, int) {});
  return (width + kSupersample - 1) / kSupersample;
}

int line_height(const TextStyle& style) {
  return static_cast<int>(std::lround(style.cap_height * 1.9));
}

int text_baseline(const TextStyle& style) { return static_cast<int>(style.cap_height * 1.35); }

void draw_text(cv::Mat3b& picture, std::string_view text, cv::Point at, const TextStyle& style) {
  if (text.empty()) return;
  const int rise = static_cast<int>(std::ceil(style.cap_height * 1.3));
  const int fall = static_cast<int>(std::ceil(style.cap_height * 0.6));
  const int side = 2;  // strokes reach over the ends of the line
  cv::Mat1b large((rise + fall) * kSupersample, (text_width(text, style) + 2 * side) * kSupersample,
                  uint8_t{0});
  lay_out(drawable(text), style, [&](const std::string& word, int x) {
    cv::putText(large, word, {side * kSupersample + x, rise * kSupersample}, kFont,
                font_scale(style), cv::Scalar(255), stroke(style), cv::LINE_AA);
  });
  cv::Mat1b coverage;
  cv::resize(large, coverage, {large.cols / kSupersample, large.rows / kSupersample}, 0, 0,
             cv::INTER_AREA);

  const cv::Rect wanted(at.x - side, at.y - rise, coverage.cols, coverage.rows);
  const cv::Rect visible = wanted & cv::Rect({0, 0}, picture.size());
  if (visible.empty()) return;
  cv::Mat3b target = picture(visible);
  tint(target, coverage(visible - wanted.tl()), style.color, 1.0);
}

std::string fit_text(std::string_view text, int width, const TextStyle& style) {
  std::string fitting = drawable(text);
  if (text_width(fitting, style) <= width) return fitting;
  // Width grows with length: the longest beginning that fits, by halving.
  size_t fits = 0, too_long = fitting.size();
  while (too_long - fits > 1) {
    const size_t middle = (fits + too_long) / 2;
    (text_width(fitting.substr(0, middle) + "...", style) <= width ? fits : too_long) = middle;
  }
  return fits == 0 ? "" : fitting.substr(0, fits) + "...";
}

}  // namespace tokensieve::drawing
