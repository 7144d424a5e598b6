#pragma once

namespace tokensieve {

/// Throws std::invalid_argument unless `threads` is 0 (one a core) to kMaxThreads; `operation`
/// begins the message.
void check_threads(const char* operation, int threads);

/// Sets how many OpenMP threads the calling thread uses, for as long as the object lives. 0 asks
/// for one a core. In a child process forked after a parallel run it is always one: the team did
/// not survive the fork, and waiting for it would hang.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_;
};

}  // namespace tokensieve
