#pragma once

#include <cstdint>
#include <vector>

#include "aligned_buffer.h"
#include "onednn/convolution.h"
#include "tokensieve/core/rows_view.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/engine/vit.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// LV-ViT's patch embedding (arXiv 2104.10858): three convolutions with ReLU, the first of stride
/// 2, then the projection of patches. One image at a time, so that its maps stay in cache.
/// Thread-safe.
class ConvStem {
 public:
  /// Reads "patch_embed.conv1" to "conv3" and "patch_embed.proj".
  ConvStem(const VitConfig& config, const WeightSource& source);
  ConvStem(const ConvStem&) = delete;
  ConvStem& operator=(const ConvStem&) = delete;

  /// Embeds an image's patches as `rows` `[patches, embed_dim]`, row-major over the grid. `maps`
  /// are room for what is between. Returns the multiply-accumulates executed.
  int64_t run(const PixelsView& image, RowsView<float> rows, AlignedBuffer (&maps)[2],
              AlignedBuffer& scratchpad) const;

 private:
  ConvolutionCache cache_;
  std::vector<Convolution> convolutions_;
};

}  // namespace tokensieve
