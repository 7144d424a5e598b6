#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace tokensieve::nn {

/// A log of numbers, one JSON object a line, the first of them "step".
class MetricsLog {
 public:
  /// Opens `path` and drops what it holds of steps after `steps` (and a line cut off by a crash).
  /// Throws std::runtime_error.
  MetricsLog(std::filesystem::path path, int64_t steps);

  /// Appends a line and flushes it. Numbers that are not finite become null.
  void write(int64_t step, const std::vector<std::pair<std::string, double>>& values);

 private:
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace tokensieve::nn
