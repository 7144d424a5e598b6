#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// While it lives, matrix products on `device` run in bfloat16 (torch.autocast), if `enabled`.
/// Weights are cast once, not at every use, and the copies go with it.
class Autocast {
 public:
  Autocast(torch::Device device, bool enabled);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  torch::DeviceType device_;
  bool was_enabled_;
};

}  // namespace tokensieve::nn
