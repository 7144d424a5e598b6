#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "samples.h"

namespace tokensieve::cli {

/// Reads samples in worker threads, ahead of whoever takes them. Holds at most `ahead` of them at a
/// time, however large the data set.
class SampleLoader {
 public:
  /// A sample ready for the network, or why it is not.
  struct Item {
    size_t index = 0;  ///< Into the samples.
    Input input;
    std::exception_ptr error;
  };

  /// Reads those of `samples` that `indices` name.
  SampleLoader(const Samples& samples, std::vector<size_t> indices, int workers, size_t ahead);
  ~SampleLoader();
  SampleLoader(const SampleLoader&) = delete;
  SampleLoader& operator=(const SampleLoader&) = delete;

  size_t size() const { return indices_.size(); }
  /// The samples in order; waits for the next one. Call at most size() times.
  Item next();

 private:
  void work();
  Item load(size_t index) const;

  const Samples& samples_;
  const std::vector<size_t> indices_;
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable loaded_, taken_;
  size_t next_to_load_ = 0;
  size_t next_to_take_ = 0;
  bool stop_ = false;
  std::map<size_t, Item> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace tokensieve::cli
