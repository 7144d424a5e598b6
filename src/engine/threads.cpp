#include "threads.h"

#include <omp.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "tokensieve/core/error.h"
#include "tokensieve/engine/workspace.h"

namespace tokensieve {
namespace {

constexpr int kThreadsPerCore = 4;

std::atomic<bool> ran_parallel{false};
std::atomic<bool> forked_after_run{false};

void watch_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] {
    if (ran_parallel) forked_after_run = true;
  });
  (void)registered;
}

}  // namespace

void check_threads(const char* operation, int threads) {
  check_argument(threads >= 0 && threads <= kMaxThreads, operation,
                 " threads must be 0 (one a core) to ", kMaxThreads, ", got ", threads);
}

ThreadScope::ThreadScope(int threads) : previous_(omp_get_max_threads()) {
  watch_forks();
  // More than a few threads a core gain nothing, and a machine may refuse to start them.
  const int most = std::min(kThreadsPerCore * omp_get_num_procs(), omp_get_thread_limit());
  const int wanted = threads > 0 ? std::min(threads, most) : omp_get_num_procs();
  const int used = forked_after_run ? 1 : wanted;
  if (used > 1) ran_parallel = true;
  omp_set_num_threads(used);
}

ThreadScope::~ThreadScope() { omp_set_num_threads(previous_); }

}  // namespace tokensieve
