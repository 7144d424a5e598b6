#include "table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "terminal.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {

Table::Table(std::vector<Column> columns, int indent)
    : columns_(std::move(columns)), indent_(indent) {}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::str() const {
  std::vector<size_t> widths;
  bool titled = false;
  for (size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(display_width(columns_[c].title));
    titled |= widths[c] > 0;
    for (const auto& row : rows_) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text(static_cast<size_t>(indent_), ' ');
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string padding(widths[c] - display_width(cells[c]), ' ');
      text += columns_[c].right ? padding + cells[c] : cells[c] + padding;
      text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };

  std::string text;
  if (titled) {
    std::vector<std::string> titles;
    for (const Column& column : columns_) titles.push_back(dim(column.title));
    text += line(titles);
  }
  for (const auto& row : rows_) text += line(row);
  return text;
}

std::string fixed(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

std::string percent(double fraction, int digits) { return fixed(100.0 * fraction, digits) + " %"; }

std::string giga(double count) {
  const double value = count / 1e9;
  return fixed(value, value >= 0.1 || value <= 0.0 ? 2 : value >= 0.01 ? 3 : 4);
}

std::string clock_time(double seconds) {
  const auto total = std::llround(std::max(0.0, seconds));
  char buffer[64];
  if (total >= 3600) {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60,
                  total % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld", total / 60, total % 60);
  }
  return buffer;
}

std::string counted(size_t count, std::string_view noun) {
  return cat(count, " ", noun, count == 1 ? "" : "s");
}

std::string arrow_list(const std::vector<int64_t>& numbers) {
  constexpr size_t kShown = 6;
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const bool left_out = numbers.size() > kShown && i >= kShown - 2 && i + 1 < numbers.size();
    if (left_out && i > kShown - 2) continue;
    text += text.empty() ? "" : " > ";
    text += left_out ? "…" : std::to_string(numbers[i]);
  }
  return text;
}

}  // namespace tokensieve::cli
