#pragma once

#include <torch/torch.h>

#include <string>

namespace tokensieve::nn {

/// A container that only gives its children a name: timm's "patch_embed", "mlp", "ls1".
inline torch::nn::Module& scope(torch::nn::Module& parent, const std::string& name) {
  return *parent.register_module(name, std::make_shared<torch::nn::Module>(name));
}

}  // namespace tokensieve::nn
