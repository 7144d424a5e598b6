#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tokensieve::nn {

/// What a run needs to go on: tensors by name, and a few words.
struct Checkpoint {
  std::map<std::string, torch::Tensor> tensors;  ///< float32
  std::map<std::string, std::string> words;
};

/// Writes a safetensors file, all or nothing. Throws std::runtime_error.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Fills the tensors of `checkpoint` in place from the file and returns its words; nothing when
/// there is no such file. Throws std::runtime_error when `fingerprint` is not the file's, a tensor
/// is missing or has another shape.
std::optional<std::map<std::string, std::string>> load_checkpoint(
    const std::filesystem::path& path, const std::map<std::string, torch::Tensor>& tensors,
    const std::string& fingerprint);

}  // namespace tokensieve::nn
