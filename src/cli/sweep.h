#pragma once

#include <string>
#include <vector>

#include "recipe_option.h"

namespace tokensieve::cli {

/// The numbers of "0.9..0.2" (in steps of 0.1) or "0.9..0.2:0.05", both ends included, in that
/// direction. Throws std::invalid_argument for anything else, or more than 1000 numbers.
std::vector<double> parse_sweep(const std::string& text);

/// Each recipe that has a density, at each number of `text`, as parse_sweep() takes it; dense ones
/// and those that count stay as they are. With a word ahead, "entropy=0.1..0.5", each recipe that
/// has that number, as its density or its exit. Throws std::invalid_argument when none has one.
std::vector<NamedRecipe> sweep(const std::vector<NamedRecipe>& recipes, const std::string& text);

}  // namespace tokensieve::cli
