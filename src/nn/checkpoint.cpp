#include "checkpoint.h"

#include <span>

#include "tokensieve/core/error.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve::nn {

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::vector<torch::Tensor> held;  // keeps copies alive until they are written
  std::vector<TensorData> list;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    held.push_back(tensor.detach().to(torch::kCPU, torch::kFloat).contiguous());
    const auto* const bytes = static_cast<const std::byte*>(held.back().const_data_ptr());
    list.push_back(
        {name, DType::F32, held.back().sizes().vec(), std::span(bytes, held.back().nbytes())});
  }
  write_safetensors(path, list, checkpoint.words);
}

std::optional<std::map<std::string, std::string>> load_checkpoint(
    const std::filesystem::path& path, const std::map<std::string, torch::Tensor>& tensors,
    const std::string& fingerprint) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto words = file.metadata();
  const auto found = words.find("fingerprint");
  check_runtime(found != words.end() && found->second == fingerprint, "[train] ", path.string(),
                " belongs to a run with other settings; choose another folder or remove it");
  torch::NoGradGuard guard;
  for (const auto& [name, tensor] : tensors) {
    const TensorInfo& info = file.info(name);
    check_runtime(tensor.sizes() == at::IntArrayRef(info.shape), "[train] ", path.string(),
                  ": expected '", name, "' of shape ", tensor.sizes(), ", got ",
                  at::IntArrayRef(info.shape));
    const std::vector<float> values = file.read_f32(name);
    torch::Tensor target = tensor;
    target.copy_(
        torch::from_blob(const_cast<float*>(values.data()), tensor.sizes(), torch::kFloat));
  }
  return words;
}

}  // namespace tokensieve::nn
