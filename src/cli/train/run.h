#pragma once

#include <filesystem>

#include "config.h"

namespace tokensieve::cli {

/// What the command line adds to a config: where things are.
struct TrainPaths {
  /// A folder with one folder of pictures a class, or a file of texts (TSV or JSON lines).
  std::filesystem::path data;
  std::filesystem::path held_out;  ///< The like that choices are made on; empty: a part of `data`.
  std::filesystem::path start;     ///< Model folder to start from; empty: an architecture is given.
  std::filesystem::path teacher;   ///< Model folder, or empty.
  std::filesystem::path labels;    ///< File of token labels, or empty: they are not kept.
  std::filesystem::path out;       ///< Folder of the run.
  bool skip_broken = false;        ///< Leave out pictures that cannot be read.
};

/// Trains and leaves in `out`: `model` (the best model folder so far), `metrics.jsonl` with its
/// plot (`metrics.svg`, `metrics.png`) and `checkpoint.safetensors`. Throws std::runtime_error and
/// std::invalid_argument.
nn::TrainResult run_training(TrainConfig config, const TrainPaths& paths);

}  // namespace tokensieve::cli
