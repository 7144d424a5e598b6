#include "pixels_of.h"

#include "tokensieve/core/error.h"

namespace tokensieve::nn {

torch::Tensor pixels_of(const Batch& batch, const VitConfig& config, torch::Device device) {
  const int64_t expected =
      batch.size() * config.in_channels * config.image_height * config.image_width;
  check_argument(std::ssize(batch.pixels) == expected, "[train] expected pictures of ",
                 config.image_height, " x ", config.image_width, " from the loader, ", expected,
                 " values in a batch, got ", batch.pixels.size());
  return torch::from_blob(
             const_cast<float*>(batch.pixels.data()),
             {batch.size(), config.in_channels, config.image_height, config.image_width})
      .to(device);
}

}  // namespace tokensieve::nn
