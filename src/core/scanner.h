#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokensieve {

/// No recipe is longer, in characters: one can come from a file.
inline constexpr size_t kMaxRecipeLength = 4096;

/// Reads the text of a recipe from left to right. Spaces are free between words and signs.
class Scanner {
 public:
  /// Throws std::invalid_argument when the text is longer than kMaxRecipeLength or has a
  /// character that is not printable ASCII. `text` must outlive the scanner.
  explicit Scanner(std::string_view text);

  /// Takes `sign` if it is next.
  bool accept(char sign);
  /// Takes `sign`. Throws std::invalid_argument if something else is next.
  void expect(char sign);
  /// Takes a run of letters, digits and _ . + - /. Throws std::invalid_argument, with `expected` in
  /// the message, if there is none.
  std::string word(std::string_view expected);
  /// Throws std::invalid_argument unless all of the text has been taken.
  void expect_end();

 private:
  void skip_spaces();
  [[noreturn]] void fail(std::string_view expected) const;

  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace tokensieve
