#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

namespace tokensieve {

/// Concatenates anything that streams into one string: `cat("got ", 3)` is "got 3". Numbers look
/// the same in every locale: 1234567 never becomes 1,234,567.
template <typename... Args>
std::string cat(const Args&... args) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << args);
  return out.str();
}

/// Throws std::invalid_argument with the concatenated message: the caller's mistake. Messages read
/// `[operation] what was expected, what came; the cure`.
template <typename... Args>
[[noreturn]] void fail_argument(const Args&... args) {
  throw std::invalid_argument(cat(args...));
}

/// Throws std::runtime_error with the concatenated message: the world's fault (a file, the
/// machine).
template <typename... Args>
[[noreturn]] void fail_runtime(const Args&... args) {
  throw std::runtime_error(cat(args...));
}

/// fail_argument unless `ok`. The message is only built on failure.
template <typename... Args>
void check_argument(bool ok, const Args&... args) {
  if (!ok) fail_argument(args...);
}

/// fail_runtime unless `ok`.
template <typename... Args>
void check_runtime(bool ok, const Args&... args) {
  if (!ok) fail_runtime(args...);
}

}  // namespace tokensieve
