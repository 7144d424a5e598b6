#include "inputs.h"

#include <iostream>

#include <CLI/CLI.hpp>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace fs = std::filesystem;

void check_exists(std::string_view operation, const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return;
  // Blame the first part of the path that is missing.
  fs::path missing = path;
  if (!missing.has_filename()) missing = missing.parent_path();
  while (missing.has_parent_path() && !fs::exists(missing.parent_path(), ignored)) {
    missing = missing.parent_path();
  }
  const fs::path folder = missing.has_parent_path() ? missing.parent_path() : fs::path(".");
  constexpr size_t kMaxNames = 10'000;  // a suggestion is not worth reading a data set's folder
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end && names.size() < kMaxNames;
       entry.increment(ignored)) {
    names.push_back((missing.parent_path() / entry->path().filename()).string());
  }
  fail_runtime("[", operation, "] no such file or folder: ", path.string(),
               did_you_mean(missing.string(), names));
}

void check_writable(std::string_view operation, const fs::path& path) {
  const fs::path folder = path.parent_path();
  check_runtime(folder.empty() || fs::is_directory(folder), "[", operation, "] there is no folder ",
                folder.string(), " to write ", path.string(), " to");
  check_runtime(!fs::is_directory(path), "[", operation, "] expected the name of a file, ",
                path.string(), " is a folder");
  const AtomicFile probe(path);  // removed again
}

void PicturesOption::add_to(CLI::App& command, bool required) {
  command.add_option("inputs", inputs, "Pictures, folders of pictures, .txt lists")
      ->type_name("IMAGES|FOLDERS|LISTS")
      ->required(required);
  command.add_flag("--skip-broken", skip_broken, "Leave out pictures that cannot be read");
}

std::vector<fs::path> PicturesOption::find(std::string_view operation) const {
  const std::vector<fs::path> paths(inputs.begin(), inputs.end());
  for (const fs::path& path : paths) check_exists(operation, path);
  auto pictures = expand_inputs(paths);
  check_runtime(!pictures.empty(), "[", operation, "] no pictures in ", paths.front().string());
  return pictures;
}

std::optional<Image> PicturesOption::read(const fs::path& path) const {
  try {
    return read_image(path);
  } catch (const std::runtime_error& error) {
    check_runtime(skip_broken, error.what(), "; --skip-broken goes on without such pictures");
    std::cerr << "note: left out: " << printable(error.what(), std::string::npos) << "\n";
    return std::nullopt;
  }
}

}  // namespace tokensieve::cli
