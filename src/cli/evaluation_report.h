#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "evaluation.h"
#include "speed.h"
#include "statistics.h"

namespace tokensieve::cli {

/// The numbers of one recipe, computed from an Evaluation. The reference is its first recipe,
/// dense.
struct RecipeScore {
  std::string name;
  std::string method;       ///< The name without its density, core's method_name().
  std::string density_key;  ///< "keep", "r"; "" for dense.
  std::string density;      ///< Its value; several joined by '/'.
  std::string recipe;       ///< Long form.
  std::string reason;       ///< Why a budget chose it, "" without one.
  int64_t correct = 0;
  double top1 = 0.0;        ///< Share of right answers.
  Interval top1_interval;   ///< Wilson's.
  int64_t gained = 0;       ///< Right where dense is wrong.
  int64_t lost = 0;         ///< Wrong where dense is right.
  double difference = 0.0;  ///< top1 minus dense's.
  Interval difference_interval;
  double same_label = 0.0;               ///< Share of pictures with dense's label.
  double macs = 0.0;                     ///< Mean a picture.
  double macs_share = 0.0;               ///< Of dense's.
  std::vector<double> tokens_per_layer;  ///< Mean rows in each block's MLP, prefix rows included.
  std::vector<Speed> speeds;             ///< At each batch size; empty when not timed.
};

/// `speeds` are measure_speed()'s of the same recipes, or empty.
std::vector<RecipeScore> score(const Evaluation& evaluation,
                               std::vector<std::vector<Speed>> speeds);

/// The tables people read: accuracy and MACs, speed where it was timed, tokens in each layer.
std::string to_text(const std::vector<RecipeScore>& scores);
/// One line for each recipe, header first; a recipe that was not timed has no speeds in it.
std::string to_csv(const std::vector<RecipeScore>& scores);
nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores);

/// Writes accuracy over MACs and, where it was timed, over images a second, one curve for each
/// method: an SVG or a PNG, by the name. Throws std::runtime_error in a build without viz.
void write_tradeoff_plot(const std::filesystem::path& path, const std::vector<RecipeScore>& scores);
/// Throws std::invalid_argument unless write_tradeoff_plot() takes a file of that name.
void check_plot_name(const std::filesystem::path& path);

/// Writes image, label and each recipe's prediction as CSV, one line for each picture.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation);

}  // namespace tokensieve::cli
