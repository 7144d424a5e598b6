#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// Bytes on a 64-byte boundary that grow to the largest size ever asked for and are never given back
/// before the end, so that a warm run allocates nothing. Rows are typed where they are used: the same
/// buffer serves every precision.
class AlignedBuffer {
 public:
  /// At least `bytes` bytes, valid until the next call. Growing forgets the content. Throws
  /// std::bad_alloc.
  void* reserve(size_t bytes);

  /// `[rows, cols]` values without gaps; the content is kept when the buffer need not grow.
  template <typename T>
  RowsView<T> rows(int64_t rows, int64_t cols) {
    return {static_cast<T*>(reserve(static_cast<size_t>(rows * cols) * sizeof(T))), rows, cols};
  }

  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace tokensieve
