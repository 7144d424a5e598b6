#include "progress.h"

#include <iostream>
#include <utility>

#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {

Progress::Progress(std::string what, size_t total, size_t done)
    : what_(std::move(what)),
      total_(total),
      before_(done),
      visible_(stderr_is_terminal() && total > 1) {}

Progress::~Progress() {
  if (visible_) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::update(size_t done) {
  const auto now = Clock::now();
  if (!visible_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  constexpr size_t kBar = 24;
  const size_t filled = done * kBar / total_;
  std::string bar;
  for (size_t i = 0; i < kBar; ++i) bar += i < filled ? "█" : "·";
  std::cerr << "\r" << what_ << " " << bar << " " << done << "/" << total_;
  const std::string left = this->left(done);
  std::cerr << (left.empty() ? "" : "  " + left) << "\x1b[K" << std::flush;
}

std::string Progress::left(size_t done) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (done <= before_ || seconds <= 0.5) return "";
  const double rate = static_cast<double>(done - before_) / seconds;
  return cat(fixed(rate, 1), "/s  ", clock_time(static_cast<double>(total_ - done) / rate),
             " left");
}

}  // namespace tokensieve::cli
