#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "aligned_buffer.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// What a convolution is: square kernel, equal steps and zero padding both ways.
struct ConvolutionOptions {
  int64_t in = 0, out = 0;  ///< Channels.
  int64_t kernel = 1, stride = 1, padding = 0;
  bool relu = false;  ///< max(0, y) in the same pass.

  bool operator==(const ConvolutionOptions&) const = default;
};

/// Primitives for each (convolution, image size, threads), shared by the convolutions of one model.
/// Bounded: the least recently used ones go. Thread-safe.
class ConvolutionCache {
 public:
  explicit ConvolutionCache(size_t capacity);
  ~ConvolutionCache();

  /// Primitives held at present.
  size_t size() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// A convolution with weights packed for oneDNN, over one image at a time, channels last: the
/// places of an image are rows, as everywhere in the engine.
class Convolution {
 public:
  /// Reads `scope.weight` `[out, in, kernel, kernel]` and `scope.bias` `[out]`.
  Convolution(const WeightSource& weights, const std::string& scope,
              const ConvolutionOptions& options, ConvolutionCache& cache);
  ~Convolution();
  Convolution(Convolution&&) noexcept;

  const ConvolutionOptions& options() const { return options_; }
  /// Places along one side of the output for `side` places of the input.
  int64_t output_side(int64_t side) const {
    return (side + 2 * options_.padding - options_.kernel) / options_.stride + 1;
  }
  /// Multiply-accumulates of a run on `height` x `width` places, padding counted.
  int64_t macs(int64_t height, int64_t width) const;

  /// `x` `[height, width, in]` to `y` `[output_side(height), output_side(width), out]`.
  void run(const float* x, int64_t height, int64_t width, float* y,
           AlignedBuffer& scratchpad) const;

 private:
  struct Impl;
  ConvolutionOptions options_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokensieve
