#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "recipe_option.h"
#include "tokensieve/engine/text_classifier.h"

namespace tokensieve::cli {

/// What a recipe costs on a text of so many tokens.
struct TextCost {
  int length = 0;
  std::vector<int64_t> tokens_per_layer;  ///< Rows in each block's MLP, the class row included.
  int64_t macs = 0;
};

/// What a recipe costs at each length.
struct TextRecipeCost {
  NamedRecipe recipe;
  bool fixed = true;  ///< The same for every text of a length. Else it was counted on random words.
  std::vector<TextCost> costs;
};

/// Runs each recipe once at 64, 128, 256 and 512 tokens, as far as the model reads so many, and on
/// the longest text that it reads, on random words.
std::vector<TextRecipeCost> text_costs(const TextClassifier& classifier,
                                       const std::vector<NamedRecipe>& recipes);

/// A model of texts in words, and as JSON. `path` is its folder.
std::string text_model_text(const std::filesystem::path& path, const ModelFolder& model);
std::string text_costs_text(const std::vector<TextRecipeCost>& costs);
nlohmann::ordered_json text_model_json(const std::filesystem::path& path, const ModelFolder& model,
                                       const std::vector<TextRecipeCost>& costs);

}  // namespace tokensieve::cli
