#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tokensieve {

/// Memory of a model's packed weights, on huge pages where the system has them: at batch 1 a call
/// streams the whole model through the cores, and looking up pages of 4 KB costs products of few
/// rows up to 5 %. Nothing is given back before the end.
class WeightMemory {
 public:
  /// `bytes` bytes on a 4096-byte boundary. Throws std::bad_alloc.
  void* take(size_t bytes);

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::vector<std::unique_ptr<std::byte, Free>> chunks_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace tokensieve
