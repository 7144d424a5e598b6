#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "tokensieve/io/image.h"

namespace tokensieve {

/// Decoded pictures by their index, kept until the memory is used up and never thrown out: where
/// every epoch asks for every picture once, no choice of what to throw out does better. For many
/// threads.
class PictureCache {
 public:
  PictureCache(std::size_t pictures, std::size_t max_bytes)
      : pictures_(max_bytes > 0 ? pictures : 0), free_bytes_(max_bytes) {}

  /// The picture, or null.
  std::shared_ptr<const Image> find(std::size_t index) const {
    if (pictures_.empty()) return nullptr;
    const std::lock_guard lock(mutex_);
    return pictures_[index];
  }

  /// Keeps the picture if there is room.
  void keep(std::size_t index, const std::shared_ptr<const Image>& picture) {
    if (pictures_.empty()) return;
    const std::lock_guard lock(mutex_);
    if (pictures_[index] || picture->pixels.size() > free_bytes_) return;
    free_bytes_ -= picture->pixels.size();
    pictures_[index] = picture;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Image>> pictures_;
  std::size_t free_bytes_;
};

}  // namespace tokensieve
