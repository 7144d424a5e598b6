#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve::cli {

/// Throws std::runtime_error `[operation] no such file ...` unless `path` exists, with the nearest
/// name in its folder.
void check_exists(std::string_view operation, const std::filesystem::path& path);

/// The picture files that IMAGES, FOLDERS and LISTS of a command line name (io's expand_inputs), at
/// least one. Throws std::runtime_error otherwise.
std::vector<std::filesystem::path> find_pictures(std::string_view operation,
                                                 const std::vector<std::string>& inputs);

}  // namespace tokensieve::cli
