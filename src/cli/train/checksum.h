#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <cstring>
#include <filesystem>

#include "tokensieve/io/dataset.h"

namespace tokensieve::cli {

/// FNV-1a over everything that a run is made of besides its settings, so that a run which goes on
/// is the same run.
class Checksum {
 public:
  void add(const void* data, size_t bytes) {
    const auto* const at = static_cast<const unsigned char*>(data);
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, at + i, sizeof word);
      value_ = (value_ ^ word) * kPrime;
    }
    for (; i < bytes; ++i) value_ = (value_ ^ at[i]) * kPrime;
  }
  void add(const torch::nn::Module& network) {
    for (const torch::Tensor& parameter : network.parameters()) {
      const torch::Tensor values = parameter.detach().contiguous();
      add(values.const_data_ptr(), values.nbytes());
    }
  }
  /// Pictures by their place below the data's folder and their size in bytes.
  void add(const ImageDataset& pictures, const std::filesystem::path& folder) {
    for (const auto& [path, label] : pictures.samples) {
      const std::string place = path.lexically_relative(folder).string();
      const uintmax_t bytes = std::filesystem::file_size(path);
      add(place.data(), place.size());
      add(&bytes, sizeof bytes);
      add(&label, sizeof label);
    }
  }
  uint64_t value() const { return value_; }

 private:
  static constexpr uint64_t kPrime = 1099511628211ull;
  uint64_t value_ = 1469598103934665603ull;
};

}  // namespace tokensieve::cli
