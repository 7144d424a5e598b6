#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// Where a network reads its weights: float32 tensors by timm's names, a text model's by Hugging
/// Face's, whatever the file calls them and stores them as. Implementations are const and
/// thread-safe.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  virtual bool contains(std::string_view name) const = 0;
  /// Shape of a tensor. Throws std::runtime_error when there is none, with the nearest name.
  virtual std::vector<int64_t> shape(std::string_view name) const = 0;
  /// Fills `out`, which must hold exactly the product of shape(name). Throws std::runtime_error as
  /// shape(), and when the file cannot be read.
  virtual void read(std::string_view name, std::span<float> out) const = 0;
  /// All names, sorted.
  virtual std::vector<std::string> names() const = 0;

  /// The whole tensor; throws std::runtime_error unless its shape is `expected`.
  std::vector<float> read(std::string_view name, std::span<const int64_t> expected) const;
};

/// Weights held in memory: for tests, for models made in code.
class MemoryWeights final : public WeightSource {
 public:
  /// Throws std::invalid_argument when `values` is not as long as `shape` says.
  void set(std::string name, std::vector<int64_t> shape, std::vector<float> values);

  using WeightSource::read;
  bool contains(std::string_view name) const override;
  std::vector<int64_t> shape(std::string_view name) const override;
  void read(std::string_view name, std::span<float> out) const override;
  std::vector<std::string> names() const override;

 private:
  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<float> values;
  };
  const Tensor& find(std::string_view name) const;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace tokensieve
