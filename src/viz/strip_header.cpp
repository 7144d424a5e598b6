#include "strip_header.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "number_text.h"

namespace tokensieve::drawing {

namespace {

constexpr Color kChangedInk{176, 58, 0};  // dark vermilion: the sieved network says something else

/// A line of the table, cell by cell.
enum Column { kRun, kLabel, kProbability, kMacs, kTime, kColumns };
using Cells = std::array<std::string, kColumns>;

Cells run_cells(const char* name, const RunSummary& run) {
  Cells cells;
  cells[kRun] = name;
  if (!run.top.empty()) {
    cells[kLabel] = run.top[0].label;
    cells[kProbability] = percent_text(run.top[0].probability);
  }
  if (run.macs) cells[kMacs] = macs_text(*run.macs);
  if (run.milliseconds) cells[kTime] = milliseconds_text(*run.milliseconds);
  return cells;
}

/// Adds what the sieve saved to its own numbers.
void compare(const RunSummary& dense, const RunSummary& sieved, Cells& cells) {
  if (dense.macs && sieved.macs && *dense.macs > 0) {
    const double share = static_cast<double>(*sieved.macs) / static_cast<double>(*dense.macs);
    cells[kMacs] += " (" + percent_text(share, 0) + " of dense)";
  }
  if (dense.milliseconds && sieved.milliseconds && *sieved.milliseconds > 0.0) {
    cells[kTime] += " (" + fixed_text(*dense.milliseconds / *sieved.milliseconds, 2) + "x as fast)";
  }
}

bool changes_its_mind(const RetentionCaption& caption) {
  return caption.dense && caption.sieved && !caption.dense->top.empty() &&
         !caption.sieved->top.empty() &&
         caption.dense->top[0].label != caption.sieved->top[0].label;
}

int gap_behind(size_t column, const Metrics& metrics) {
  return metrics.pixels(column == kLabel ? 9 : 22);
}

/// The width of each column, gap included, 0 for an empty one. Labels yield when there is no room.
std::array<int, kColumns> column_widths(const std::vector<Cells>& lines, int width,
                                        const Metrics& metrics) {
  std::array<int, kColumns> widths{};
  for (const Cells& line : lines) {
    for (size_t column = 0; column < kColumns; ++column) {
      if (line[column].empty()) continue;
      const int needed = text_width(line[column], metrics.strong()) + gap_behind(column, metrics);
      widths[column] = std::max(widths[column], needed);
    }
  }
  const int total = std::accumulate(widths.begin(), widths.end(), 0);
  widths[kLabel] = std::max(0, widths[kLabel] - std::max(0, total - width));
  return widths;
}

/// The runs as a table whose columns line up.
cv::Mat3b run_table(const std::vector<Cells>& lines, bool changed, int width,
                    const Metrics& metrics) {
  const std::array<int, kColumns> widths = column_widths(lines, width, metrics);
  std::vector<cv::Mat3b> drawn;
  for (const Cells& line : lines) {
    cv::Mat3b row = white(width, line_height(metrics.body()));
    int x = 0;
    for (size_t column = 0; column < kColumns; ++column) {
      TextStyle style = column == kRun ? metrics.strong() : metrics.body();
      if (column == kLabel && changed && &line == &lines.back()) style.color = kChangedInk;
      const int room = std::min(widths[column] - gap_behind(column, metrics), width - x);
      draw_text(row, fit_text(line[column], room, style), {x, text_baseline(style)}, style);
      x += widths[column];
    }
    drawn.push_back(row);
  }
  return stack_down(drawn, 0);
}

}  // namespace

cv::Mat3b strip_header(const RetentionCaption& caption, int width, const Metrics& metrics) {
  std::vector<cv::Mat3b> parts;
  if (!caption.title.empty()) parts.push_back(text_line(caption.title, metrics.title(), width));
  if (!caption.recipe.empty()) parts.push_back(text_line(caption.recipe, metrics.note(), width));
  std::vector<Cells> lines;
  if (caption.dense) lines.push_back(run_cells("dense", *caption.dense));
  if (caption.sieved) {
    lines.push_back(run_cells("sieved", *caption.sieved));
    if (caption.dense) compare(*caption.dense, *caption.sieved, lines.back());
  }
  if (!lines.empty()) {
    parts.push_back(run_table(lines, changes_its_mind(caption), width, metrics));
  }
  return stack_down(parts, metrics.pixels(5));
}

}  // namespace tokensieve::drawing
