#pragma once

#include "tokensieve/io/model_folder.h"
#include "tokensieve/nn/vit.h"

namespace tokensieve::cli {

/// The network of a folder for pictures of that size; its positions are resampled where they were
/// made for another. Throws std::runtime_error.
nn::Vit load_network(const ModelFolder& folder, int image_height, int image_width);

}  // namespace tokensieve::cli
