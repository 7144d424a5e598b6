#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Scale and shift of a layer norm, each `[dim]`.
struct Norm {
  std::vector<float> weight, bias;
};

/// Reads `scope.weight` and `scope.bias`.
inline Norm read_norm(const WeightSource& source, const std::string& scope, int64_t dim) {
  const std::vector<int64_t> shape = {dim};
  return {source.read(scope + ".weight", shape), source.read(scope + ".bias", shape)};
}

}  // namespace tokensieve
