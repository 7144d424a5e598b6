#pragma once

#include <string>
#include <vector>

#include "model_option.h"
#include "recipe_option.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/viz/colormap.h"

namespace tokensieve::cli {

/// What `tokensieve visualize --text` and `--file` are asked for.
struct TextVisualize {
  ModelOption model;
  RecipeOption recipes;
  std::vector<TextSample> texts;
  std::string out;  ///< "": the terminal.
  Colormap colormap = Colormap::viridis;
  bool times = true, json = false;
};

/// Draws what each recipe made of the words of each text. Throws std::runtime_error for a folder
/// without a text model or a tokenizer, and as viz does.
void visualize_texts(const TextVisualize& run);

}  // namespace tokensieve::cli
