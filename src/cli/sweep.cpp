#include "sweep.h"

#include <cmath>
#include <regex>
#include <sstream>

#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

// As written, so that 0.9 - 0.1 - 0.1 is 0.7 and not 0.7000000000000001.
double rounded(double value) { return std::round(value * 1e9) / 1e9; }

}  // namespace

std::vector<double> parse_sweep(const std::string& text) {
  static const std::regex form(R"(([0-9]*\.?[0-9]+)\.\.([0-9]*\.?[0-9]+)(?::([0-9]*\.?[0-9]+))?)");
  std::smatch match;
  check_argument(text.size() < 64 && std::regex_match(text, match, form),
                 "[sweep] expected FROM..TO or FROM..TO:STEP, such as 0.9..0.2, got '", text, "'");
  const double from = std::stod(match[1]);
  const double to = std::stod(match[2]);
  const double step = match[3].matched ? std::stod(match[3]) : 0.1;
  constexpr double kMost = 1000;
  check_argument(step > 0.0 && std::abs(to - from) / step < kMost,
                 "[sweep] expected a step above 0 and fewer than 1000 of them, got '", text, "'");
  const auto count = static_cast<int>(std::floor(std::abs(to - from) / step + 1e-6));
  std::vector<double> values;
  for (int i = 0; i <= count; ++i) values.push_back(rounded(from + (to < from ? -step : step) * i));
  return values;
}

std::vector<NamedRecipe> sweep(const std::vector<NamedRecipe>& recipes, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string wanted = equals == std::string::npos ? "" : text.substr(0, equals);
  const auto values = parse_sweep(equals == std::string::npos ? text : text.substr(equals + 1));
  // Without a word: what is a share or a threshold of its recipe, not what counts.
  const auto key_of = [&](const Recipe& recipe) -> std::string {
    const std::string density = recipe.density_key(), exit = recipe.exit_key();
    if (wanted.empty()) return density == "r" || density == "patience" ? "" : density;
    return wanted == density || wanted == exit ? wanted : "";
  };
  std::vector<NamedRecipe> swept;
  bool any = false;
  for (const NamedRecipe& recipe : recipes) {
    const std::string key = key_of(recipe.recipe);
    if (key.empty()) {
      swept.push_back(recipe);
      continue;
    }
    any = true;
    for (const double value : values) swept.push_back(with_density(recipe, key, value));
  }
  check_argument(any, "[sweep] expected a recipe with ",
                 wanted.empty() ? "a share or a threshold" : wanted, ", got '",
                 recipes.front().name, "'; pass --recipes 'evit(keep=0.7)' too");
  return swept;
}

}  // namespace tokensieve::cli
