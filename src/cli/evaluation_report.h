#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "evaluation.h"
#include "statistics.h"

namespace tokensieve::cli {

/// The numbers of one recipe, computed from an Evaluation. The reference is its first recipe,
/// dense.
struct RecipeScore {
  std::string name;
  std::string recipe;  ///< Long form.
  std::string reason;  ///< Why a budget chose it, "" without one.
  int64_t correct = 0;
  double top1 = 0.0;        ///< Share of right answers.
  Interval top1_interval;   ///< Wilson's.
  int64_t gained = 0;       ///< Right where dense is wrong.
  int64_t lost = 0;         ///< Wrong where dense is right.
  double difference = 0.0;  ///< top1 minus dense's.
  Interval difference_interval;
  double same_label = 0.0;  ///< Share of pictures with dense's label.
  double macs = 0.0;        ///< Mean a picture.
  double macs_share = 0.0;  ///< Of dense's.
  double images_per_second = 0.0;
  double speedup = 0.0;                  ///< Over dense.
  std::vector<double> tokens_per_layer;  ///< Mean rows in each block's MLP, prefix rows included.
};

std::vector<RecipeScore> score(const Evaluation& evaluation);

/// The table people read, then tokens in each layer.
std::string to_text(const std::vector<RecipeScore>& scores);
/// One line for each recipe, header first.
std::string to_csv(const std::vector<RecipeScore>& scores);
nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores);

/// Writes image, label and each recipe's prediction as CSV, one line for each picture.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation);

}  // namespace tokensieve::cli
