#pragma once

#include <map>
#include <string>
#include <vector>

#include "tokensieve/io/safetensors.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// For each name to serve, the tensors of the file that make it when laid one below the other.
using TensorParts = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The tensors of a safetensors file under other names, some of them glued together on reading:
/// query, key and value as one qkv.
class MappedWeights final : public WeightSource {
 public:
  /// Throws runtime_error naming the file for a part that is missing, is no float tensor, or does
  /// not go with the parts above it.
  MappedWeights(SafetensorsFile file, TensorParts parts);

  using WeightSource::read;
  bool contains(std::string_view name) const override { return tensors_.contains(name); }
  std::vector<int64_t> shape(std::string_view name) const override { return find(name).shape; }
  void read(std::string_view name, std::span<float> out) const override;
  std::vector<std::string> names() const override;

 private:
  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<std::string> parts;
  };
  const Tensor& find(std::string_view name) const;

  SafetensorsFile file_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace tokensieve
