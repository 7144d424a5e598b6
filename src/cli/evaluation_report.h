#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "evaluation.h"
#include "speed.h"
#include "statistics.h"

namespace tokensieve::cli {

/// What a recipe gave and cost on some samples. The reference is the evaluation's first recipe,
/// dense, on the same.
struct Figures {
  int64_t count = 0;  ///< Samples.
  int64_t correct = 0;
  double top1 = 0.0;        ///< Share of right answers.
  Interval top1_interval;   ///< Wilson's.
  int64_t gained = 0;       ///< Right where dense is wrong.
  int64_t lost = 0;         ///< Wrong where dense is right.
  double difference = 0.0;  ///< top1 minus dense's.
  Interval difference_interval;
  double same_label = 0.0;  ///< Share of samples with dense's label.
  double macs = 0.0;        ///< Mean a sample.
  double macs_share = 0.0;  ///< Of dense's.
};

/// The figures of the samples of some lengths.
struct Bucket : Figures {
  int64_t shortest = 0;  ///< Tokens, special ones among them.
  int64_t longest = 0;
};

/// The numbers of one recipe, computed from an Evaluation.
struct RecipeScore : Figures {
  std::string name;
  std::string method;       ///< The name without its density, core's method_name().
  std::string density_key;  ///< "keep", "r", "tokens" of plain truncation; "" for dense.
  std::string density;      ///< Its value; several joined by '/'.
  std::string recipe;       ///< Long form.
  std::string reason;       ///< Why a budget chose it, "" without one.
  std::vector<double> tokens_per_layer;  ///< Mean rows in each block's MLP, prefix rows included.
  std::vector<Bucket> buckets;           ///< By length, shortest first; empty without any.
  std::vector<Speed> speeds;             ///< At each batch size; empty when not timed.
};

/// Lengths between which samples are looked at together: for each of `longest`, ascending, those of
/// up to so many tokens, then the rest.
struct LengthBuckets {
  std::vector<int64_t> longest;
};

/// Buckets that hold a quarter of the samples each, as far as lengths that are the same allow.
LengthBuckets quartile_buckets(const Evaluation& evaluation);

/// `speeds` are measure_speed()'s of the same recipes, or empty. Buckets without samples are left
/// out.
std::vector<RecipeScore> score(const Evaluation& evaluation, std::vector<std::vector<Speed>> speeds,
                               const LengthBuckets& buckets = {});

/// The tables people read: accuracy and MACs, the same by length, speed where it was timed, tokens
/// in each layer. `sample` is "image" or "text".
std::string to_text(const std::vector<RecipeScore>& scores, const std::string& sample);
/// One line for each recipe, header first; a recipe that was not timed has no speeds in it. Without
/// buckets.
std::string to_csv(const std::vector<RecipeScore>& scores);
nlohmann::ordered_json to_json(const std::vector<RecipeScore>& scores);

/// Writes accuracy over MACs and, where it was timed, over images a second, one curve for each
/// method: an SVG or a PNG, by the name. Throws std::runtime_error in a build without viz.
/// `sample`, "image" or "text", is for its axes.
void write_tradeoff_plot(const std::filesystem::path& path, const std::vector<RecipeScore>& scores,
                         const std::string& sample);
/// Throws std::invalid_argument unless write_tradeoff_plot() takes a file of that name.
void check_plot_name(const std::filesystem::path& path);

/// Writes the name of each sample, under the title `sample` ("image", "text"), its label and each
/// recipe's prediction as CSV; of a text its tokens, too.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const std::string& sample);

}  // namespace tokensieve::cli
