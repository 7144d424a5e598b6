#pragma once

#include <string>
#include <string_view>

#include "tensor_shapes.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Throws the runtime_error of a tensor that is not known: `file: expected <kind>, got the tensor
/// 'name'; <reason>`.
[[noreturn]] void fail_unknown(const std::string& file, std::string_view kind,
                               std::string_view name, std::string_view reason = "");

/// Throws runtime_error naming `file` unless `weights` has tensors of these names and shapes, and
/// no others. `kind` says what they make: "a ViT, DeiT or DINOv2".
void check_tensors(const TensorShapes& expected, const WeightSource& weights, std::string_view kind,
                   const std::string& file);

}  // namespace tokensieve
