#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// Throws std::runtime_error `[operation] no such file ...` unless `path` exists, with the nearest
/// name in its folder.
void check_exists(std::string_view operation, const std::filesystem::path& path);

/// The pictures of a command line: IMAGES, FOLDERS and LISTS.
struct PicturesOption {
  std::vector<std::string> inputs;

  /// `required`: a command line without any is refused.
  void add_to(CLI::App& command, bool required = true);
  /// The files that they name (io's expand_inputs), at least one. Throws std::runtime_error
  /// `[operation] ...` otherwise.
  std::vector<std::filesystem::path> find(std::string_view operation) const;
};

}  // namespace tokensieve::cli
