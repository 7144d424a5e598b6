#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokensieve/core/recipe.h"
#include "tokensieve/engine/vit.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// A recipe under the name people gave it.
struct NamedRecipe {
  std::string name;
  Recipe recipe;
};

/// The options that change the density of recipes: --keep, --threshold, --mass.
struct DensityOption {
  std::optional<double> keep, threshold, mass;

  void add_to(CLI::App& command);
};

/// The options --recipe, which may come several times, and DensityOption's.
struct RecipeOption {
  std::vector<std::string> texts;
  DensityOption density;

  void add_to(CLI::App& command);
  /// resolve_recipes of what was given.
  std::vector<NamedRecipe> resolve(const std::string& default_text, const Vit& vit) const;
};

/// Parses `texts`, or `default_text` when there are none, at the density asked for (it leaves dense
/// recipes alone), and checks that `vit` can run each. Throws std::invalid_argument.
std::vector<NamedRecipe> resolve_recipes(const std::vector<std::string>& texts,
                                         const std::string& default_text,
                                         const DensityOption& density, const Vit& vit);

/// The recipe at another density. The name keeps its wording where it can: "evit(keep=0.7, fuse)"
/// becomes "evit(keep=0.5, fuse)".
NamedRecipe with_density(const NamedRecipe& recipe, const std::string& key, double value);

}  // namespace tokensieve::cli
