#pragma once

#include <string_view>
#include <vector>

#include "tokensieve/io/dataset.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve::cli {

/// The model's class of each sample. Class folders are matched with the model's labels by name
/// (case,
/// '_', '-' and ' ' aside); if no name matches but their number is the model's, by position, as
/// torchvision does it; labels of a list are positions. Throws std::runtime_error `[operation] ...`
/// naming the class or picture that has no place.
std::vector<int> labels_of(const ImageDataset& data, const ModelFolder& model,
                           std::string_view operation = "evaluate");

}  // namespace tokensieve::cli
