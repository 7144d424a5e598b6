#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "tokensieve/engine/classifier.h"

namespace tokensieve::cli {

/// Reads, decodes and preprocesses pictures in worker threads, ahead of whoever takes them. Holds
/// at most `ahead` pictures at a time, however large the data set.
class PixelLoader {
 public:
  /// A picture ready for the network, or why it is not.
  struct Item {
    size_t index = 0;           ///< Into `paths`.
    std::vector<float> pixels;  ///< Classifier::preprocess.
    std::exception_ptr error;
  };

  PixelLoader(const Classifier& classifier, std::vector<std::filesystem::path> paths,
              const DecodeOptions& decode, int workers, size_t ahead);
  ~PixelLoader();
  PixelLoader(const PixelLoader&) = delete;
  PixelLoader& operator=(const PixelLoader&) = delete;

  size_t size() const { return paths_.size(); }
  /// The pictures in order; waits for the next one. Call at most size() times.
  Item next();

 private:
  void work();
  Item load(size_t index) const;

  const Classifier& classifier_;
  const std::vector<std::filesystem::path> paths_;
  const DecodeOptions decode_;
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
