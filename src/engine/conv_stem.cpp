#include "conv_stem.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

// Four convolutions at some dozens of image sizes.
constexpr size_t kCachedPrimitives = 128;

/// `[channels, height, width]` as `[height, width, channels]`; false when a value is not finite.
bool interleave(const PixelsView& image, int64_t channels, float* to) {
  const int64_t places = int64_t{image.height} * image.width;
  bool numbers = true;
#pragma omp parallel for schedule(static) reduction(&& : numbers)
  for (int64_t i = 0; i < places; ++i) {
    for (int64_t c = 0; c < channels; ++c) {
      const float value = image.data[c * places + i];
      to[i * channels + c] = value;
      numbers = numbers && std::isfinite(value);
    }
  }
  return numbers;
}

}  // namespace

ConvStem::ConvStem(const VitConfig& config, const WeightSource& source)
    : cache_(kCachedPrimitives) {
  ConvolutionOptions options{.in = config.in_channels, .out = config.stem_channels, .relu = true};
  options.stride = kStemStride;
  for (const int kernel : kStemKernels) {
    options.kernel = kernel;
    options.padding = kernel / 2;
    const std::string scope = cat("patch_embed.conv", convolutions_.size() + 1);
    convolutions_.emplace_back(source, scope, options, cache_);
    options.in = config.stem_channels;
    options.stride = 1;
  }
  const int64_t patch = config.patch_size / kStemStride;
  convolutions_.emplace_back(
      source, "patch_embed.proj",
      ConvolutionOptions{
          .in = config.stem_channels, .out = config.embed_dim, .kernel = patch, .stride = patch},
      cache_);
}

int64_t ConvStem::run(const PixelsView& image, RowsView<float> rows, AlignedBuffer (&maps)[2],
                      AlignedBuffer& scratchpad) const {
  int64_t height = image.height, width = image.width, macs = 0;
  const int64_t channels = convolutions_.front().options().in;
  float* const pixels = maps[0].rows<float>(height * width, channels).data;
  const bool numbers = interleave(image, channels, pixels);
  const float* x = pixels;
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const Convolution& convolution = convolutions_[i];
    const int64_t out_height = convolution.output_side(height);
    const int64_t out_width = convolution.output_side(width);
    const bool last = i + 1 == convolutions_.size();
    AlignedBuffer& to = maps[(i + 1) % 2];
    float* const y =
        last ? rows.data : to.rows<float>(out_height * out_width, convolution.options().out).data;
    convolution.run(x, height, width, y, scratchpad);
    macs += convolution.macs(height, width);
    x = y;
    height = out_height;
    width = out_width;
  }
  // oneDNN's ReLU makes 0 of NaN, also of the one that infinity turns into. What was no finite
  // number must not come out as an answer.
  if (!numbers) {
    std::fill_n(rows.data, rows.rows * rows.cols, std::numeric_limits<float>::quiet_NaN());
  }
  return macs;
}

}  // namespace tokensieve
