#pragma once

#include <vector>

#include "model_option.h"
#include "recipe_option.h"
#include "tokensieve/io/text_dataset.h"

namespace tokensieve::cli {

/// What `tokensieve classify --text` is asked for.
struct TextRun {
  ModelOption model;
  RecipeOption recipes;
  std::vector<TextSample> texts;
  bool compare_dense = true, json = false;
  int repeat = 5, top = 5;
};

/// Says what a text model makes of texts, under dense and each recipe: the words that left, labels,
/// MACs and time. Throws std::runtime_error for a folder without a text model or a tokenizer.
void classify_texts(const TextRun& run);

}  // namespace tokensieve::cli
