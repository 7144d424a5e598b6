#include "tokensieve/io/weights.h"

#include <algorithm>

#include "shape_text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/dtype.h"

namespace tokensieve {

std::vector<float> WeightSource::read(std::string_view name,
                                      std::span<const int64_t> expected) const {
  const std::vector<int64_t> actual = shape(name);
  check_runtime(std::ranges::equal(actual, expected), "[weights] expected '", printable(name),
                "' of shape ", shape_text(expected), ", got ", shape_text(actual));
  size_t count = 1;
  for (const int64_t side : actual) count *= static_cast<size_t>(side);
  std::vector<float> values(count);
  read(name, values);
  return values;
}

void MemoryWeights::set(std::string name, std::vector<int64_t> shape, std::vector<float> values) {
  const auto bytes = tensor_bytes(DType::F32, shape);
  check_argument(bytes == values.size() * sizeof(float), "[weights] expected as many values as '",
                 printable(name), "' of shape ", shape_text(shape), " has, got ", values.size());
  tensors_.insert_or_assign(std::move(name), Tensor{std::move(shape), std::move(values)});
}

const MemoryWeights::Tensor& MemoryWeights::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    fail_runtime("[weights] expected a tensor '", printable(name), "', got none of that name",
                 printable(did_you_mean(name, names())));
  }
  return found->second;
}

bool MemoryWeights::contains(std::string_view name) const { return tensors_.contains(name); }

std::vector<int64_t> MemoryWeights::shape(std::string_view name) const { return find(name).shape; }

void MemoryWeights::read(std::string_view name, std::span<float> out) const {
  const Tensor& tensor = find(name);
  check_argument(out.size() == tensor.values.size(), "[weights] expected room for ",
                 tensor.values.size(), " floats of '", printable(name), "', got ", out.size());
  std::ranges::copy(tensor.values, out.begin());
}

std::vector<std::string> MemoryWeights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

}  // namespace tokensieve
