#include "model/tensor_sizes.h"

#include <algorithm>
#include <charconv>

#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

constexpr int64_t kMaxSide = int64_t{1} << 24;

}  // namespace

void TensorSizes::check(bool good, std::string_view name, std::string_view expected,
                        std::string_view got) const {
  check_runtime(good, "[model_folder] ", file_, ": expected '", name, "' ", expected, ", got ",
                got);
}

std::vector<int64_t> TensorSizes::shape(const std::string& name, size_t dimensions) const {
  const std::vector<int64_t> shape = weights_.shape(name);
  const bool good = shape.size() == dimensions &&
                    std::ranges::all_of(shape, [](int64_t side) { return side <= kMaxSide; });
  check(good, name, cat("to have ", dimensions, " sides up to ", kMaxSide), shape_text(shape));
  return shape;
}

int TensorSizes::depth(std::string_view prefix) const {
  int depth = 0;
  for (const std::string& name : weights_.names()) {
    if (!name.starts_with(prefix)) continue;
    int block = -1;
    const auto [end, error] =
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), block);
    const bool good = error == std::errc{} && end != name.data() + name.size() && *end == '.';
    check(good && block >= 0 && block < kMaxMeasuredDepth, printable(name),
          cat("to be of a block below ", kMaxMeasuredDepth), "another");
    depth = std::max(depth, block + 1);
  }
  check(depth > 0, prefix.substr(0, prefix.size() - 1), "to be there", "none");
  return depth;
}

}  // namespace tokensieve
