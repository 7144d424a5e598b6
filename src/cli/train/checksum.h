#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "tokensieve/io/dataset.h"

namespace tokensieve::cli {

/// FNV-1a over everything that a run is made of besides its settings, so that a run which goes on
/// is the same run.
class Checksum {
 public:
  void add(const void* data, size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(const torch::nn::Module& network);
  /// Pictures by their place below the data's folder and their size in bytes.
  void add(const ImageDataset& pictures, const std::filesystem::path& folder);
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 1469598103934665603ull;
};

}  // namespace tokensieve::cli
