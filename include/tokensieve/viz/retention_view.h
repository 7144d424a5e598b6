#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/io/image.h"

namespace tokensieve {

/// What every picture is drawn from: one image and what became of its patches. It owns nothing.
struct RetentionView {
  const Image& image;           ///< The pixels the network saw, after resize and crop, before
                                ///< normalisation. Patches divide it evenly.
  int grid_height = 0;          ///< Patches from top to bottom.
  int grid_width = 0;           ///< Patches from left to right.
  const RetentionTrace& trace;  ///< Of that image: num_tokens = grid_height * grid_width.
};

/// Throws std::invalid_argument unless the grid divides the image, the trace has one token for each
/// patch and every site's vectors have one entry for each token.
void validate(const RetentionView& view);

/// One guess of a network.
struct Prediction {
  std::string label;
  double probability = 0.0;  ///< 0 to 1.
};

/// What one run says of an image. What is not known is left empty and not shown.
struct RunSummary {
  std::vector<Prediction> top = {};         ///< Best first.
  std::optional<int64_t> macs = {};         ///< Multiply-accumulates.
  std::optional<double> milliseconds = {};  ///< For one image.
};

/// The words that go with a picture: plain UTF-8 text, escaped where it is printed.
struct RetentionCaption {
  std::string title = {};                 ///< The file name, say.
  std::string recipe = {};                ///< Recipe::str(), or "".
  std::optional<RunSummary> dense = {};   ///< The dense network on this image.
  std::optional<RunSummary> sieved = {};  ///< The run the trace belongs to.
};

}  // namespace tokensieve
