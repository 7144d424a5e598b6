#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve::cli {

/// A table of text in columns that line up.
class Table {
 public:
  struct Column {
    std::string title;
    bool right = true;  ///< Numbers to the right, words to the left.
  };

  explicit Table(std::vector<Column> columns, int indent = 0);
  /// Adds a row; missing cells are empty.
  void add(std::vector<std::string> cells);
  /// The lines, header in dim letters first (left out if no column has a title).
  std::string str() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  int indent_;
};

/// "0.70" for (0.7, 2).
std::string fixed(double value, int digits);
/// "97.1 %" for 0.971.
std::string percent(double fraction, int digits = 1);
/// Billions with two digits, more for small numbers: "2.63", "0.0041".
std::string giga(double count);
/// "3:07", or "1:02:03" from an hour on.
std::string clock_time(double seconds);
/// "1 picture", "2 pictures".
std::string counted(std::size_t count, std::string_view noun);
/// "100 > 70 > 49"; of more than six numbers the middle ones are left out.
std::string arrow_list(const std::vector<int64_t>& numbers);

}  // namespace tokensieve::cli
