#pragma once

#include <string_view>

namespace tokensieve {

/// Throws std::invalid_argument unless `threads` is 0 (one a core) to kMaxThreads; `operation`
/// begins the message.
void check_threads(std::string_view operation, int threads);

/// The OpenMP threads of a call that asks for `threads`, 0 for one a core: as many, but not more
/// than are of use or allowed. In a child process forked after a parallel run it is always one: the
/// team did not survive the fork, and waiting for it would hang.
int threads_of_call(int threads);

/// Gives the calling thread the OpenMP threads of such a call, neither more nor fewer, for as long
/// as the object lives.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_, dynamic_;
};

}  // namespace tokensieve
