#include "sample_loader.h"

#include <system_error>
#include <utility>

namespace tokensieve::cli {

SampleLoader::SampleLoader(const Samples& samples, std::vector<size_t> indices, int workers,
                           size_t ahead)
    : samples_(samples), indices_(std::move(indices)), ahead_(ahead) {
  for (int i = 0; i < workers; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // the system gives no more
      if (threads_.empty()) throw;
      break;
    }
  }
}

SampleLoader::~SampleLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  taken_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

SampleLoader::Item SampleLoader::next() {
  std::unique_lock lock(mutex_);
  loaded_.wait(lock, [&] { return ready_.contains(next_to_take_); });
  Item item = std::move(ready_.extract(next_to_take_).mapped());
  ++next_to_take_;
  taken_.notify_all();
  return item;
}

void SampleLoader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    taken_.wait(lock, [&] {
      return stop_ || next_to_load_ >= size() || next_to_load_ < next_to_take_ + ahead_;
    });
    if (stop_ || next_to_load_ >= size()) return;
    const size_t index = next_to_load_++;
    lock.unlock();
    Item item = load(indices_[index]);
    lock.lock();
    ready_.emplace(index, std::move(item));
    loaded_.notify_all();
  }
}

SampleLoader::Item SampleLoader::load(size_t index) const {
  Item item{index, {}, nullptr};
  try {
    item.input = samples_.read(index);
  } catch (...) {
    item.error = std::current_exception();
  }
  return item;
}

}  // namespace tokensieve::cli
