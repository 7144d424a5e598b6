#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/image.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// Throws std::runtime_error `[operation] no such file ...` unless `path` exists, with the nearest
/// name in its folder.
void check_exists(std::string_view operation, const std::filesystem::path& path);

/// Throws std::runtime_error `[operation] ...` unless a file can be written at `path`: before the
/// work, and not after it.
void check_writable(std::string_view operation, const std::filesystem::path& path);

/// The pictures of a command line: IMAGES, FOLDERS and LISTS.
struct PicturesOption {
  std::vector<std::string> inputs;
  bool skip_broken = false;

  /// `required`: a command line without any is refused.
  void add_to(CLI::App& command, bool required = true);
  /// The files that they name (io's expand_inputs), at least one. Throws std::runtime_error
  /// `[operation] ...` otherwise.
  std::vector<std::filesystem::path> find(std::string_view operation) const;
  /// A picture; nothing, with a note on standard error, for one that cannot be read where such are
  /// skipped. Throws std::runtime_error for it otherwise.
  std::optional<Image> read(const std::filesystem::path& path) const;
};

}  // namespace tokensieve::cli
