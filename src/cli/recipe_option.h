#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loaded_model.h"
#include "tokensieve/core/recipe.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// A recipe under the name people gave it.
struct NamedRecipe {
  std::string name;
  Recipe recipe;
  std::string reason = "";  ///< Why it has this density, where a budget chose it.
  std::string folder = "";  ///< Of the model it is for, where that is not --model's.
};

/// The options that change the density of recipes, --keep, --threshold, --mass, and their exits,
/// --entropy, --confidence, --patience.
struct DensityOption {
  std::optional<double> keep, threshold, mass, entropy, confidence, patience;

  void add_to(CLI::App& command);
  bool given() const { return keep || threshold || mass || entropy || confidence || patience; }
};

/// The options that choose a density by what was calibrated: --macs, --latency-ms, --agree.
struct BudgetOption {
  std::optional<double> macs, latency_ms, agree;

  void add_to(CLI::App& command);
  /// The one that was given. Throws std::invalid_argument for two.
  std::optional<Budget> get() const { return one_budget(macs, latency_ms, agree); }
};

/// The options --recipe, which may come several times, DensityOption's and BudgetOption's.
struct RecipeOption {
  std::vector<std::string> texts;
  DensityOption density;
  BudgetOption budget;

  void add_to(CLI::App& command);
  /// resolve_recipes of what was given, within the budget. The model's recipe where none was.
  /// Throws std::invalid_argument for a density beside a budget.
  std::vector<NamedRecipe> resolve(const LoadedModel& model) const;
};

/// Parses `texts`, or `default_text` when there are none, at the density asked for (it leaves dense
/// recipes alone), and sees that the model can run each. Throws std::invalid_argument.
std::vector<NamedRecipe> resolve_recipes(const std::vector<std::string>& texts,
                                         const std::string& default_text,
                                         const DensityOption& density, const LoadedModel& model);

/// `texts`, or the model's own recipe when there are none, at the densities that fit `budget`;
/// dense recipes stay as they are. Notes on standard error say what was chosen and why. Throws
/// std::invalid_argument, for recipes that are not calibrated, too.
std::vector<NamedRecipe> resolve_within(const std::vector<std::string>& texts, const Budget& budget,
                                        const LoadedModel& model);

/// Dense in front of the others, whether it is among them or not, and once.
std::vector<NamedRecipe> dense_first(std::vector<NamedRecipe> recipes);

/// The recipe at another density. The name keeps its wording where it can: "evit(keep=0.7, fuse)"
/// becomes "evit(keep=0.5, fuse)".
NamedRecipe with_density(const NamedRecipe& recipe, const std::string& key, double value);

}  // namespace tokensieve::cli
