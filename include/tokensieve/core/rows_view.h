#pragma once

#include <cassert>
#include <cstdint>
#include <span>

namespace tokensieve {

/// A view of a row-major matrix: `rows` rows of `cols` values, `stride` values apart. It owns
/// nothing and is cheap to copy. Everywhere in tokensieve memory is row-major, token rows are
/// `[rows, dim]`, and values are float32 unless a comment says otherwise.
template <typename T>
struct RowsView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  ///< Distance between rows, in values; at least `cols`.

  RowsView() = default;
  RowsView(T* data_, int64_t rows_, int64_t cols_) : RowsView(data_, rows_, cols_, cols_) {}
  RowsView(T* data_, int64_t rows_, int64_t cols_, int64_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  /// A writable view reads as a constant one.
  operator RowsView<const T>() const { return {data, rows, cols, stride}; }

  /// The values of row `i`, 0 <= i < rows.
  std::span<T> row(int64_t i) const {
    assert(i >= 0 && i < rows);
    return {data + i * stride, static_cast<size_t>(cols)};
  }
};

}  // namespace tokensieve
