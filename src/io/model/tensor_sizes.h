#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Blocks that a file may have, before the config is validated.
inline constexpr int kMaxMeasuredDepth = 1000;

/// Reads sizes from the shapes of one file's tensors, which are not trusted. References outlive it.
class TensorSizes {
 public:
  TensorSizes(const WeightSource& weights, const std::string& file)
      : weights_(weights), file_(file) {}

  bool contains(std::string_view name) const { return weights_.contains(name); }
  /// Throws runtime_error `file: expected 'name' <expected>, got <got>` unless `good`.
  void check(bool good, std::string_view name, std::string_view expected,
             std::string_view got) const;
  /// The shape of a tensor that must have so many sides, none above 2^24.
  std::vector<std::int64_t> shape(const std::string& name, std::size_t dimensions) const;
  /// Number of blocks: one more than the largest number after `prefix` ("blocks.").
  int depth(std::string_view prefix) const;

 private:
  const WeightSource& weights_;
  const std::string& file_;
};

}  // namespace tokensieve
