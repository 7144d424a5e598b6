#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "recipe_option.h"
#include "tokensieve/engine/classifier.h"

namespace tokensieve::cli {

/// What a recipe costs on a model.
struct RecipeCost {
  NamedRecipe recipe;
  bool fixed = true;  ///< The same for every picture. Else it was counted on one of noise.
  std::vector<int64_t> tokens_per_layer;  ///< Rows in each block's MLP, prefix rows included.
  int64_t macs = 0;
};

/// Runs each recipe once, on noise.
std::vector<RecipeCost> recipe_costs(const Classifier& classifier,
                                     const std::vector<NamedRecipe>& recipes);

/// A model of pictures in words, and as JSON. `path` is the folder or the file.
std::string model_text(const std::filesystem::path& path, const ModelFolder& model);
std::string costs_text(const std::vector<RecipeCost>& costs);
nlohmann::ordered_json model_json(const std::filesystem::path& path, const ModelFolder& model,
                                  const std::vector<RecipeCost>& costs);

}  // namespace tokensieve::cli
