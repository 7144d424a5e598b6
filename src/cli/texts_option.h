#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// The texts of a command line: --text, which may come several times, and those of --file.
struct TextsOption {
  std::vector<std::string> texts;
  std::string file;
  size_t limit = 0;  ///< At most so many of the file, spread over it; 0: all.

  void add_to(CLI::App& command);
  /// True for texts, false for pictures. Throws std::invalid_argument `[operation] ...` unless the
  /// command line has just one of them, and for --limit without --file.
  bool given(std::string_view operation, bool pictures) const;
  /// All of them. Throws std::runtime_error `[operation] ...` for a file that cannot be read, has
  /// pairs, or more than kMost texts without a limit.
  std::vector<std::string> find(std::string_view operation) const;

  static constexpr size_t kMost = 1000;
};

}  // namespace tokensieve::cli
