#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tokensieve {

/// Shapes of tensors by name.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

inline void add_linear(TensorShapes& shapes, const std::string& scope, std::int64_t out,
                       std::int64_t in, bool bias = true) {
  shapes[scope + ".weight"] = {out, in};
  if (bias) shapes[scope + ".bias"] = {out};
}

inline void add_norm(TensorShapes& shapes, const std::string& scope, std::int64_t dim) {
  shapes[scope + ".weight"] = {dim};
  shapes[scope + ".bias"] = {dim};
}

}  // namespace tokensieve
