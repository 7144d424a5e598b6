#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tokensieve/core/rows_view.h"

namespace tokensieve {

/// Rows that a kernel runs for `rows` rows: as they are up to 256, then rounded up to 16, so that
/// ragged batches share their primitives. What the extra rows hold is never read by anybody else.
constexpr int64_t bucketed_rows(int64_t rows) { return rows <= 256 ? rows : (rows + 15) / 16 * 16; }

/// Bytes on a 64-byte boundary that grow to the largest size ever asked for and are never given
/// back before the end, so that a warm run allocates nothing. Rows are typed where they are used:
/// the same buffer serves every precision.
class AlignedBuffer {
 public:
  /// At least `bytes` bytes, valid until the next call. Growing forgets the content and leaves
  /// zeros. Throws std::bad_alloc.
  void* reserve(size_t bytes);

  /// `[rows, cols]` values without gaps, with room for bucketed_rows(); the content is kept when
  /// the buffer need not grow.
  template <typename T>
  RowsView<T> rows(int64_t rows, int64_t cols) {
    const auto values = static_cast<size_t>(bucketed_rows(rows) * cols);
    return {static_cast<T*>(reserve(values * sizeof(T))), rows, cols};
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
