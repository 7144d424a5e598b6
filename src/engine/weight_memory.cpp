#include "weight_memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace tokensieve {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
// Several linears share a chunk, so that the last huge page of each is not half empty.
constexpr size_t kChunk = 4 * kHugePage;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void WeightMemory::Free::operator()(void* p) const { std::free(p); }

void* WeightMemory::take(size_t bytes) {
  bytes = round_up(bytes, kPage);
  if (bytes > left_) {
    const size_t size = round_up(std::max(bytes, kChunk), kHugePage);
    chunks_.emplace_back(static_cast<std::byte*>(std::aligned_alloc(kHugePage, size)));
    if (!chunks_.back()) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(chunks_.back().get(), size, MADV_HUGEPAGE);  // advice: where refused, small pages do
#endif
    // The rest of the chunk before may be larger than what will be left of this one.
    if (size - bytes <= left_) return chunks_.back().get();
    next_ = chunks_.back().get();
    left_ = size;
  }
  left_ -= bytes;
  return std::exchange(next_, next_ + bytes);
}

}  // namespace tokensieve
