#include "legend.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "number_text.h"
#include "picture.h"

namespace tokensieve::drawing {

namespace {

/// A value named under a colour bar.
struct Tick {
  int at = 0;    // pixel of the bar
  int left = 0;  // of the label
  int width = 0;
  std::string text;
};

Tick make_tick(double value, int at, int bar_width, const TextStyle& style) {
  Tick tick{at, 0, 0, number_text(value)};
  tick.width = text_width(tick.text, style);
  tick.left = std::clamp(at - tick.width / 2, 0, std::max(0, bar_width - tick.width));
  return tick;
}

/// Both ends first, then the round values that leave the others room.
std::vector<Tick> choose_ticks(const ValueRange& range, int width, const Metrics& metrics) {
  const TextStyle style = metrics.note();
  if (range.low == range.high) return {make_tick(range.low, width / 2, width, style)};
  std::vector<Tick> ticks = {make_tick(range.low, 0, width, style),
                             make_tick(range.high, width - 1, width, style)};
  const int room = metrics.pixels(10);
  for (const double value : range.round_values(6)) {
    const int at = static_cast<int>(std::lround(range.position(value) * (width - 1)));
    const Tick tick = make_tick(value, at, width, style);
    const bool fits = std::all_of(ticks.begin(), ticks.end(), [&](const Tick& other) {
      return tick.left >= other.left + other.width + room ||
             other.left >= tick.left + tick.width + room;
    });
    if (fits) ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace

cv::Mat3b swatch(Color color, const Metrics& metrics) {
  const int side = metrics.pixels(12);
  return cv::Mat3b(side, side, pixel(color));
}

cv::Mat3b entry_legend(std::span<const LegendEntry> entries, int width, const Metrics& metrics) {
  const TextStyle style = metrics.note();
  const int line = metrics.pixels(19), between = metrics.pixels(14);
  const int baseline = static_cast<int>(std::lround((line + style.cap_height) / 2.0));
  const auto indent_of = [&](const LegendEntry& entry) {
    return entry.swatch.empty() ? 0 : entry.swatch.cols + metrics.pixels(6);
  };
  const auto width_of = [&](const LegendEntry& entry) {
    return indent_of(entry) + text_width(entry.text, style) + between;
  };
  int total = 0, widest = 0;
  for (const LegendEntry& entry : entries) {
    total += width_of(entry);
    widest = std::max(widest, width_of(entry));
  }
  const bool one_line = total - between <= width;  // otherwise columns of one width

  std::vector<cv::Mat3b> lines = {white(width, line)};
  int x = 0;
  for (const LegendEntry& entry : entries) {
    if (!one_line && x > 0 && x + widest - between > width) {
      lines.push_back(white(width, line));
      x = 0;
    }
    cv::Mat3b& row = lines.back();
    if (!entry.swatch.empty()) {
      const int top = (line - entry.swatch.rows) / 2;
      entry.swatch.copyTo(row(cv::Rect({x, top}, entry.swatch.size())));
    }
    const int text_left = x + indent_of(entry);
    draw_text(row, fit_text(entry.text, width - text_left, style), {text_left, baseline}, style);
    x += one_line ? width_of(entry) : widest;
  }
  return stack_down(lines, 0);
}

cv::Mat3b color_bar(const ValueRange& range, Colormap map, int width, const Metrics& metrics) {
  const TextStyle style = metrics.note();
  const int bar = metrics.pixels(10), mark = metrics.pixels(4), gap = metrics.pixels(4);
  cv::Mat3b legend = white(width, bar + mark + gap + line_height(style));
  for (int x = 0; x < width; ++x) {
    const double t =
        range.low == range.high ? 0.5 : static_cast<double>(x) / std::max(1, width - 1);
    legend(cv::Rect(x, 0, 1, bar)) = pixel(colormap_color(map, t));
  }
  const int line = metrics.pixels(1);
  for (const Tick& tick : choose_ticks(range, width, metrics)) {
    const int left = std::clamp(tick.at - line / 2, 0, width - line);
    legend(cv::Rect(left, bar, line, mark)) = pixel(kFaintInk);
    const int baseline = bar + mark + gap + static_cast<int>(std::lround(style.cap_height));
    draw_text(legend, tick.text, {tick.left, baseline}, style);
  }
  return legend;
}

}  // namespace tokensieve::drawing
