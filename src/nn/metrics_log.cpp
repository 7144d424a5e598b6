#include "metrics_log.h"

#include <charconv>
#include <cmath>

#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"

namespace tokensieve::nn {
namespace {

constexpr uint64_t kMaxLogBytes = uint64_t{1} << 30;
constexpr std::string_view kStart = "{\"step\":";

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, 9).ptr;
  return {text, end};
}

/// The step of a whole line, or -1.
int64_t step_of(std::string_view line) {
  if (!line.starts_with(kStart) || !line.ends_with('}')) return -1;
  int64_t step = -1;
  std::from_chars(line.data() + kStart.size(), line.data() + line.size(), step);
  return step;
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, int64_t steps) : path_(std::move(path)) {
  if (std::filesystem::exists(path_)) {
    const std::string text = read_text_file(path_, kMaxLogBytes);
    std::string kept;
    for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const std::string_view line(text.data() + begin, end - begin);
      const int64_t step = step_of(line);
      if (step >= 0 && step <= steps) kept.append(line).push_back('\n');
    }
    write_text_file(path_, kept);
  }
  out_.open(path_, std::ios::app);
  check_runtime(out_.good(), "[train] cannot write ", path_.string());
}

void MetricsLog::write(int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  std::string line = cat(kStart, step);
  for (const auto& [name, value] : values) line += ",\"" + name + "\":" + number(value);
  out_ << line << "}\n" << std::flush;
  check_runtime(out_.good(), "[train] cannot write ", path_.string(), "; is the disk full?");
}

}  // namespace tokensieve::nn
