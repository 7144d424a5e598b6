#include "conv_stem.h"

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

// Four convolutions at some dozens of image sizes.
constexpr size_t kCachedPrimitives = 128;

/// `[channels, height, width]` as `[height, width, channels]`.
void interleave(const PixelsView& image, int64_t channels, float* to) {
  const int64_t places = int64_t{image.height} * image.width;
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < places; ++i) {
    for (int64_t c = 0; c < channels; ++c) to[i * channels + c] = image.data[c * places + i];
  }
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
  interleave(image, channels, pixels);
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
  return macs;
}

}  // namespace tokensieve
