#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string_view>

namespace tokensieve::cli {

/// FNV-1a over everything that a run is made of besides its settings, so that a run which goes on
/// is the same run.
class Checksum {
 public:
  void add(const void* data, size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(const torch::nn::Module& network);
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 1469598103934665603ull;
};

}  // namespace tokensieve::cli
