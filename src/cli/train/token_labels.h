#pragma once

#include "run.h"
#include "tokensieve/data/split.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/nn/label_maps.h"

namespace tokensieve::cli {

/// A teacher's labels of the training pictures.
struct TokenLabels {
  nn::LabelMaps maps;            ///< Of split.train, in that order.
  double held_out_accuracy = 0;  ///< Share of split.held_out whose class the teacher says.
  std::string fingerprint;       ///< Of the teacher and all pictures.
};

/// How a teacher sees pictures: whole, so that boxes of a picture are boxes of its map.
Preprocessing whole_pictures(Preprocessing preprocessing);

/// Reads the labels of all pictures of `data`, and of a held-out folder, from `paths.labels`, or
/// has the teacher make them, of whole pictures at its own size, and writes them there. Throws
/// std::runtime_error without a teacher, or when it has other classes, or the file was made by
/// another.
TokenLabels token_labels(const TrainConfig& config, const TrainPaths& paths,
                         const ImageDataset& data, const HeldOutSplit& split,
                         const ModelFolder& student);

}  // namespace tokensieve::cli
