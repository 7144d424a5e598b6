#include "recipe_option.h"

#include <iostream>
#include <regex>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

// A rewording of `name`, which may not mean what `recipe` says, or may not be a recipe at all.
std::string reworded(const std::string& name, const std::string& setting) {
  const std::string key = setting.substr(0, setting.find('='));
  const std::regex written(key + "\\s*=[^,)|]*");
  if (std::regex_search(name, written)) return std::regex_replace(name, written, setting);
  const size_t open = name.find('(');
  if (open == std::string::npos) return name + "(" + setting + ")";
  return name.substr(0, open + 1) + setting + ", " + name.substr(open + 1);
}

// "1.5G" as "1.5e9".
CLI::Validator giga_or_mega() {
  CLI::Validator units(
      [](std::string& text) {
        const char unit = text.empty() ? ' ' : text.back();
        if (unit == 'G' || unit == 'g') text.replace(text.size() - 1, 1, "e9");
        if (unit == 'M' || unit == 'm') text.replace(text.size() - 1, 1, "e6");
        return std::string();
      },
      "");
  return units;
}

bool is_own_dense(const NamedRecipe& recipe) {
  return recipe.recipe.is_dense() && recipe.folder.empty();
}

bool means(const std::string& text, const Recipe& recipe) {
  try {
    return Recipe::parse(text) == recipe;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace

void DensityOption::add_to(CLI::App& command) {
  command.add_option("--keep", keep, "Share of the tokens that each site keeps, for top-k recipes")
      ->type_name("K");
  command.add_option("--threshold", threshold, "Score a token must reach, for threshold recipes")
      ->type_name("T");
  command.add_option("--mass", mass, "Share of the scores that stays, for mass recipes")
      ->type_name("M");
  command.add_option("--entropy", entropy, "Entropy in nats below which a text exits")
      ->type_name("E");
  command.add_option("--confidence", confidence, "Probability at which a text exits")
      ->type_name("P");
  command.add_option("--patience", patience, "Equal answers in a row at which a text exits")
      ->type_name("N");
}

void BudgetOption::add_to(CLI::App& command) {
  command.add_option("--macs", macs, "Density by calibration: multiply-adds, such as 1.5G")
      ->type_name("M")
      ->transform(giga_or_mega());
  command
      .add_option("--latency-ms", latency_ms,
                  "Density by calibration: milliseconds of one sample on this machine")
      ->type_name("MS");
  command
      .add_option("--agree", agree,
                  "Density by calibration: share of answers that are dense's, such as 0.99")
      ->type_name("A");
}

void RecipeOption::add_to(CLI::App& command) {
  command
      .add_option("-r,--recipe", texts,
                  "Recipe, such as 'evit(keep=0.7, fuse)'; may come several times [the model's]")
      ->type_name("RECIPE")
      ->allow_extra_args(false);
  density.add_to(command);
  budget.add_to(command);
}

std::vector<NamedRecipe> RecipeOption::resolve(const LoadedModel& model) const {
  const auto wanted = budget.get();
  if (!wanted) return resolve_recipes(texts, model.folder().recipe, density, model);
  check_argument(!density.given(), "[budget] expected a density or ", budget_word(wanted->kind),
                 ", which chooses one, got both");
  return resolve_within(texts, *wanted, model);
}

std::vector<NamedRecipe> resolve_within(const std::vector<std::string>& texts, const Budget& budget,
                                        const LoadedModel& model) {
  std::string default_text = model.folder().recipe;
  if (texts.empty() && model.default_recipe().is_dense()) {
    default_text = find_calibration(model.folder().calibrations, std::nullopt).recipe;
  }
  auto recipes = resolve_recipes(texts, default_text, {}, model);
  bool any_sieved = false;
  for (NamedRecipe& recipe : recipes) {
    if (recipe.recipe.is_dense()) continue;
    any_sieved = true;
    const BudgetChoice choice = model.within(budget, recipe.recipe);
    recipe = choice.density ? with_density(recipe, recipe.recipe.density_key(), *choice.density)
                            : NamedRecipe{"dense", Recipe()};
    recipe.reason = choice.reason;
    std::cerr << "note: " << choice.reason << "\n";
  }
  check_argument(any_sieved, "[budget] expected a recipe with a density, got dense");
  return recipes;
}

std::vector<NamedRecipe> dense_first(std::vector<NamedRecipe> recipes) {
  NamedRecipe dense{"dense", Recipe()};
  for (const NamedRecipe& recipe : recipes) {
    if (is_own_dense(recipe) && dense.reason.empty()) dense.reason = recipe.reason;
  }
  std::erase_if(recipes, is_own_dense);
  recipes.insert(recipes.begin(), std::move(dense));
  return recipes;
}

NamedRecipe with_density(const NamedRecipe& recipe, const std::string& key, double value) {
  const Recipe changed = recipe.recipe.with(key, value);
  const bool density = key == changed.density_key();
  const std::string name =
      reworded(recipe.name, cat(key, "=", density ? changed.density() : cat(value)));
  return {means(name, changed) ? name : changed.str(), changed, "", recipe.folder};
}

std::vector<NamedRecipe> resolve_recipes(const std::vector<std::string>& texts,
                                         const std::string& default_text,
                                         const DensityOption& density, const LoadedModel& model) {
  std::vector<NamedRecipe> recipes;
  bool any_sieved = false;
  for (const std::string& text : texts.empty() ? std::vector{default_text} : texts) {
    NamedRecipe recipe{text, Recipe::parse(text)};
    if (!recipe.recipe.is_dense()) {
      any_sieved = true;
      if (density.keep) recipe = with_density(recipe, "keep", *density.keep);
      if (density.threshold) recipe = with_density(recipe, "threshold", *density.threshold);
      if (density.mass) recipe = with_density(recipe, "mass", *density.mass);
      if (density.entropy) recipe = with_density(recipe, "entropy", *density.entropy);
      if (density.confidence) recipe = with_density(recipe, "confidence", *density.confidence);
      if (density.patience) recipe = with_density(recipe, "patience", *density.patience);
    }
    model.check(recipe.recipe);
    recipes.push_back(std::move(recipe));
  }
  check_argument(any_sieved || !density.given(),
                 "[recipe] the dense network has no density to set; pass a recipe too, such as "
                 "--recipe 'evit(keep=0.7)'");
  return recipes;
}

}  // namespace tokensieve::cli
