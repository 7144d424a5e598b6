#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/text_dataset.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// The texts of a command line: --text, which may come several times, each with its --pair where
/// texts come in pairs, and those of --file.
struct TextsOption {
  std::vector<std::string> texts, pairs;
  std::string file;
  size_t limit = 0;  ///< At most so many of the file, spread over it; 0: all.

  void add_to(CLI::App& command);
  /// True for texts, false for pictures. Throws std::invalid_argument `[operation] ...` unless the
  /// command line has just one of them, for --limit without --file, and unless all of --text have a
  /// --pair or none has.
  bool given(std::string_view operation, bool pictures) const;
  /// All of them. Throws std::runtime_error `[operation] ...` for a file that cannot be read or has
  /// more than kMost texts without a limit.
  std::vector<TextSample> find(std::string_view operation) const;

  static constexpr size_t kMost = 1000;
};

}  // namespace tokensieve::cli
