#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "recipe_option.h"
#include "tokensieve/engine/classifier.h"

namespace tokensieve::cli {

/// Pictures with the model's classes; -1 for a picture of which the class is not known.
struct LabelledPictures {
  std::vector<std::filesystem::path> paths;
  std::vector<int> labels;
};

/// A recipe and the model it runs on.
struct Contender {
  const Classifier* classifier = nullptr;
  NamedRecipe recipe;
};

/// At most `limit` of the pictures (0: all), evenly spread, so that a few of a sorted folder still
/// show all classes.
LabelledPictures spread(const LabelledPictures& pictures, size_t limit);

/// What a recipe did on a data set.
struct RecipeResult {
  NamedRecipe recipe;
  std::vector<int> predictions;    ///< One for each evaluated picture.
  std::vector<double> layer_rows;  ///< Sum over pictures of the rows in each block's MLP.
  double macs = 0.0;               ///< Sum over pictures.
};

struct Evaluation {
  std::vector<RecipeResult> results;  ///< Dense first.
  LabelledPictures pictures;          ///< Those evaluated, without the skipped ones.
  std::vector<std::string> skipped;   ///< Messages of pictures that could not be read.
};

struct EvaluationOptions {
  int batch = 8;
  int workers = 2;           ///< Threads that decode.
  bool skip_broken = false;  ///< Else a picture that cannot be read is an error.
  DecodeOptions decode;
  std::string operation = "evaluate";  ///< For the progress bar and messages.
};

/// Runs all contenders, the baseline first, over the pictures in one pass: each batch goes through
/// all of them. Their models preprocess pictures alike. Throws std::runtime_error for a broken
/// picture, naming it, or if none is left.
Evaluation evaluate(std::span<const Contender> contenders, const LabelledPictures& pictures,
                    const EvaluationOptions& options);

}  // namespace tokensieve::cli
