#include "aligned_buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace tokensieve {

void AlignedBuffer::Free::operator()(void* p) const { std::free(p); }

void* AlignedBuffer::reserve(size_t bytes) {
  if (bytes > bytes_) {
    const size_t rounded = (bytes + 4095) / 4096 * 4096;
    data_.reset();
    bytes_ = 0;
    data_.reset(std::aligned_alloc(64, rounded));
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0, rounded);
    bytes_ = rounded;
  }
  return data_.get();
}

}  // namespace tokensieve
