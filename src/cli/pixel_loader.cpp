#include "pixel_loader.h"

#include <utility>

namespace tokensieve::cli {

PixelLoader::PixelLoader(const Classifier& classifier, std::vector<std::filesystem::path> paths,
                         const DecodeOptions& decode, int workers, size_t ahead)
    : classifier_(classifier), paths_(std::move(paths)), decode_(decode), ahead_(ahead) {
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

PixelLoader::~PixelLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  taken_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

PixelLoader::Item PixelLoader::next() {
  std::unique_lock lock(mutex_);
  loaded_.wait(lock, [&] { return ready_.contains(next_to_take_); });
  Item item = std::move(ready_.extract(next_to_take_).mapped());
  ++next_to_take_;
  taken_.notify_all();
  return item;
}

void PixelLoader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    taken_.wait(lock, [&] {
      return stop_ || next_to_load_ >= paths_.size() || next_to_load_ < next_to_take_ + ahead_;
    });
    if (stop_ || next_to_load_ >= paths_.size()) return;
    const size_t index = next_to_load_++;
    lock.unlock();
    Item item = load(index);
    lock.lock();
    ready_.emplace(index, std::move(item));
    loaded_.notify_all();
  }
}

PixelLoader::Item PixelLoader::load(size_t index) const {
  Item item{index, {}, nullptr};
  try {
    item.pixels = classifier_.preprocess(read_image(paths_[index], decode_));
  } catch (...) {
    item.error = std::current_exception();
  }
  return item;
}

}  // namespace tokensieve::cli
