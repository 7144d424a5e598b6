#include "checksum.h"

#include <cstring>

namespace tokensieve::cli {
namespace {

constexpr uint64_t kPrime = 1099511628211ull;

}  // namespace

void Checksum::add(const void* data, size_t bytes) {
  const auto* const at = static_cast<const unsigned char*>(data);
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, at + i, sizeof word);
    value_ = (value_ ^ word) * kPrime;
  }
  for (; i < bytes; ++i) value_ = (value_ ^ at[i]) * kPrime;
}

void Checksum::add(const torch::nn::Module& network) {
  for (const torch::Tensor& parameter : network.parameters()) {
    const torch::Tensor values = parameter.detach().contiguous();
    add(values.const_data_ptr(), values.nbytes());
  }
}

void Checksum::add(const ImageDataset& pictures, const std::filesystem::path& folder) {
  for (const auto& [path, label] : pictures.samples) {
    const std::string place = path.lexically_relative(folder).string();
    const uintmax_t bytes = std::filesystem::file_size(path);
    add(place);
    add(&bytes, sizeof bytes);
    add(&label, sizeof label);
  }
}

}  // namespace tokensieve::cli
