#include "tokensieve/engine/machine.h"

#include <sys/utsname.h>

#include <fstream>
#include <map>

#include "threads.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr size_t kMaxName = 150;  // in bytes

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The keys of the first processor.
std::map<std::string, std::string> first_processor() {
  std::map<std::string, std::string> values;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos) {
      values.emplace(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
  }
  return values;
}

std::string architecture() {
  utsname system{};
  return ::uname(&system) == 0 ? system.machine : "unknown";
}

std::string cpu_name() {
  const auto values = first_processor();
  const auto value = [&](const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  std::string name = value("model name");
  if (name.empty()) name = cat(architecture(), " ", value("CPU implementer"), value("CPU part"));
  if (!value("cpu family").empty())
    name += cat(" (", value("cpu family"), "-", value("model"), ")");
  for (char& letter : name) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return trimmed(name.substr(0, kMaxName));
}

}  // namespace

Machine this_machine(int threads) {
  static const std::string cpu = cpu_name();
  return {cpu, threads_of_call(threads), "f32"};
}

}  // namespace tokensieve
