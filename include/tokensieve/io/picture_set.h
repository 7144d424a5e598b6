#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/io/dataset.h"

namespace tokensieve {

/// The classes of a model that pictures are measured on.
struct ModelClasses {
  std::span<const std::string> labels;  ///< Their names; none where the model has none.
  int count = 0;
};

/// Pictures to measure a model on.
struct PictureSet {
  std::vector<Sample> samples;  ///< Each with a class of the model, or all with -1.
  std::string note;  ///< What a user should be told of how classes were found; mostly empty.
};

/// A folder with a folder of pictures a class (open_image_folder), or a list (read_image_list),
/// with the model's class of every picture. Class folders are matched with the labels by name, in
/// any case and with ' ', '_' or '-'. By position, as torchvision does it, only where that is sure:
/// as many folders as classes that have no names ("LABEL_3"), or ImageNet's thousand by their
/// WordNet ids. Numbers of a list are positions. Throws std::runtime_error `[operation] ...` that
/// names the class or picture without a place.
PictureSet open_labelled_pictures(const std::filesystem::path& data, const ModelClasses& classes,
                                  std::string_view operation);

/// The same where labels need not be known: pictures may lie in any folder, and those of class
/// folders that the model does not know, or of a list that does not label all, have none.
PictureSet open_pictures(const std::filesystem::path& data, const ModelClasses& classes,
                         std::string_view operation);

}  // namespace tokensieve
