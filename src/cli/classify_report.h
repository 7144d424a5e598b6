#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "recipe_option.h"
#include "tokensieve/engine/classifier.h"

namespace tokensieve::cli {

/// What one recipe did with one picture.
struct RunReport {
  std::vector<Guess> top;
  std::vector<float> probabilities;  ///< One a class.
  std::vector<int64_t> tokens;       ///< tokens_left().
  int64_t macs = 0;
  double seconds = 0.0;  ///< Share of its batch.
};

/// What all recipes did with one picture.
struct PictureReport {
  std::string path;
  int64_t dense_macs = 0;
  std::vector<RunReport> runs;  ///< One for each recipe.
};

/// The report of `tokensieve classify`. If the dense network was run too, it is the first recipe.
struct ClassifyReport {
  std::vector<NamedRecipe> recipes;
  std::vector<PictureReport> pictures;

  bool compares() const { return recipes.size() > 1 && recipes.front().recipe.is_dense(); }
};

/// One picture as a table: labels, tokens, MACs and time with the recipes side by side.
std::string picture_text(const ClassifyReport& report, const PictureReport& picture,
                         const ModelFolder& model);
/// The table at the end: a line for each picture and recipe, then one for each recipe's mean.
std::string summary_text(const ClassifyReport& report);
/// The same in JSON; docs/commands.md names the fields.
nlohmann::ordered_json to_json(const ClassifyReport& report);

}  // namespace tokensieve::cli
