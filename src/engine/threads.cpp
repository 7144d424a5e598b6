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

void check_threads(std::string_view operation, int threads) {
  check_argument(threads >= 0 && threads <= kMaxThreads, operation,
                 " threads must be 0 (one a core) to ", kMaxThreads, ", got ", threads);
}

int threads_of_call(int threads) {
  if (forked_after_run) return 1;
  // More than a few threads a core gain nothing, and a machine may refuse to start them.
  const int most = std::min(kThreadsPerCore * omp_get_num_procs(), omp_get_thread_limit());
  return std::min(threads > 0 ? threads : omp_get_num_procs(), most);
}

ThreadScope::ThreadScope(int threads)
    : previous_(omp_get_max_threads()), dynamic_(omp_get_dynamic()) {
  watch_forks();
  const int used = threads_of_call(threads);
  if (used > 1) ran_parallel = true;
  omp_set_num_threads(used);
  // oneDNN shares work out among the threads that were asked for: with fewer some is never done.
  omp_set_dynamic(0);
}

ThreadScope::~ThreadScope() {
  omp_set_dynamic(dynamic_);
  omp_set_num_threads(previous_);
}

}  // namespace tokensieve
