#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aligned_buffer.h"
#include "tokensieve/core/rows_view.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// What follows y = x W^T + b in the same pass.
enum class Epilogue {
  none,
  gelu,      ///< y = GELU(x W^T + b), exact (erf).
  add,       ///< y = y + x W^T + b: the residual.
  add_gelu,  ///< y = GELU(y + x W^T + b): y comes with a bias of its own for every row.
};

/// What the linears of one model share: the memory of their weights, and primitives for each
/// (sizes, rows, epilogue). Bounded: the least recently used primitives go. Linears are made by one
/// thread and run by many.
class LinearCache {
 public:
  explicit LinearCache(size_t capacity);
  ~LinearCache();

  /// Primitives held at present.
  size_t size() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct LinearOptions {
  bool bias = true;
  /// Factor of each output feature, `[out]` or empty: LayerScale, folded into weights and bias.
  std::span<const float> output_scale = {};
};

/// A dense layer with weights packed once for oneDNN; the packed form serves every number of rows.
class Linear {
 public:
  /// Reads `scope.weight` `[out, in]` (any trailing shape of that size) and `scope.bias` `[out]`.
  Linear(const WeightSource& weights, const std::string& scope, int64_t in, int64_t out,
         LinearCache& cache, const LinearOptions& options = {});
  ~Linear();
  Linear(Linear&&) noexcept;

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

  /// `x` `[rows, in]` to `y` `[rows, out]`, both without gaps between rows and with room for
  /// bucketed_rows(rows): the rows after the last one are computed and mean nothing.
  void run(RowsView<const float> x, RowsView<float> y, Epilogue epilogue,
           AlignedBuffer& scratchpad) const;

 private:
  struct Impl;
  int64_t in_ = 0, out_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokensieve
