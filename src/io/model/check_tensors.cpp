#include "model/check_tensors.h"

#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {

void fail_unknown(const std::string& file, std::string_view kind, std::string_view name,
                  std::string_view reason) {
  fail_runtime("[model_folder] ", file, ": expected ", kind, ", got the tensor '", printable(name),
               "'", reason.empty() ? "" : "; ", reason);
}

void check_tensors(const TensorShapes& expected, const WeightSource& weights, std::string_view kind,
                   const std::string& file) {
  for (const std::string& name : weights.names()) {
    if (!expected.contains(name)) fail_unknown(file, kind, name);
  }
  for (const auto& [name, shape] : expected) {
    const std::vector<int64_t> actual = weights.shape(name);
    check_runtime(actual == shape, "[model_folder] ", file, ": expected '", name, "' of shape ",
                  shape_text(shape), ", got ", shape_text(actual));
  }
}

}  // namespace tokensieve
