#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tokensieve::cli {

/// A bar with a rate and the time left on standard error, if that is a terminal; else nothing.
class Progress {
 public:
  /// `done` of the total were done before: they do not count for the rate.
  Progress(std::string what, size_t total, size_t done = 0);
  /// Clears the line, so that what is printed next starts clean.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are done. Draws at most ten times a second.
  void update(size_t done);

  /// "12.3/s  4:56 left", or "" where it is too early to say.
  std::string left(size_t done) const;

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  size_t total_;
  size_t before_;
  bool visible_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
};

}  // namespace tokensieve::cli
