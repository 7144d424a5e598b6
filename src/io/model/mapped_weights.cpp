#include "model/mapped_weights.h"

#include <algorithm>
#include <utility>

#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

// No side of a real tensor comes near; sums of three stay far from overflow.
constexpr int64_t kMaxSide = int64_t{1} << 31;

bool is_float(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F64;
}

/// Elements of a shape that is known not to overflow.
size_t count_of(std::span<const int64_t> shape) {
  size_t count = 1;
  for (const int64_t side : shape) count *= static_cast<size_t>(side);
  return count;
}

/// The shape of the parts laid one below the other.
std::vector<int64_t> glued_shape(const SafetensorsFile& file,
                                 const std::vector<std::string>& parts) {
  std::vector<int64_t> shape = file.info(parts.front()).shape;
  for (const std::string& name : parts) {
    const TensorInfo& part = file.info(name);
    check_runtime(is_float(part.dtype), "[model_folder] ", file.path().string(),
                  ": expected F32, F16, BF16 or F64 in '", printable(name), "', got ",
                  dtype_name(part.dtype));
    check_runtime(std::ranges::all_of(part.shape, [](int64_t side) { return side <= kMaxSide; }),
                  "[model_folder] ", file.path().string(), ": expected sides up to ", kMaxSide,
                  " in '", printable(name), "', got ", shape_text(part.shape));
    if (&name == &parts.front()) continue;
    const bool fits = !shape.empty() && part.shape.size() == shape.size() &&
                      std::equal(shape.begin() + 1, shape.end(), part.shape.begin() + 1);
    check_runtime(fits, "[model_folder] ", file.path().string(), ": expected '", printable(name),
                  "' to go below a tensor of shape ", shape_text(shape), ", got ",
                  shape_text(part.shape));
    shape[0] += part.shape[0];
  }
  return shape;
}

}  // namespace

MappedWeights::MappedWeights(SafetensorsFile file, TensorParts parts) : file_(std::move(file)) {
  for (auto& [name, names] : parts) {
    std::vector<int64_t> shape = glued_shape(file_, names);
    tensors_.emplace(name, Tensor{std::move(shape), std::move(names)});
  }
}

const MappedWeights::Tensor& MappedWeights::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    fail_runtime("[model_folder] ", file_.path().string(), ": expected a tensor '", printable(name),
                 "', got none of that name", printable(did_you_mean(name, names())));
  }
  return found->second;
}

void MappedWeights::read(std::string_view name, std::span<float> out) const {
  const Tensor& tensor = find(name);
  check_argument(out.size() == count_of(tensor.shape), "[weights] expected room for ",
                 count_of(tensor.shape), " floats of '", printable(name), "', got ", out.size());
  for (const std::string& part : tensor.parts) {
    const size_t count = count_of(file_.info(part).shape);
    file_.read_f32(part, out.first(count));
    out = out.subspan(count);
  }
}

std::vector<std::string> MappedWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

}  // namespace tokensieve
