#pragma once

#include <filesystem>
#include <string>

namespace tokensieve {

/// ".jpg" of "A.JPG".
inline std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

}  // namespace tokensieve
