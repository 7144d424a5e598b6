#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "recipe_option.h"
#include "samples.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// A recipe, the model it runs on and the samples as that model reads them.
struct Contender {
  const LoadedModel* model = nullptr;
  NamedRecipe recipe;
  const Samples* samples = nullptr;
  int truncated = 0;  ///< Tokens that its texts are cut off after, for plain truncation; else 0.

  /// `recipe_name`, with "@DIR" after it where the model is not --model's.
  std::string placed(const std::string& recipe_name) const;
};

/// What a contender did on a data set, one entry for each evaluated sample.
struct RecipeResult {
  Contender contender;
  std::vector<int> predictions;
  std::vector<int64_t> macs;
  std::vector<double> layer_rows;  ///< Sum over the samples of the rows in each block's MLP.
};

struct Evaluation {
  std::vector<RecipeResult> results;  ///< Dense first.
  std::vector<size_t> samples;        ///< Indices of those evaluated, without the skipped ones.
  std::vector<int> labels;            ///< Of each.
  std::vector<int64_t> lengths;       ///< Tokens of each, as the first contender reads it.
  std::vector<std::string> skipped;   ///< Messages of samples that could not be read.
};

struct EvaluationOptions {
  size_t limit = 0;  ///< At most so many samples, spread over the data; 0: all.
  int batch = 8;
  int workers = 2;                     ///< Threads that read samples.
  bool skip_broken = false;            ///< Else a picture that cannot be read is an error.
  std::string operation = "evaluate";  ///< For the progress bar and messages.

  /// Adds --limit, --batch and --workers to `command`.
  void add_to(CLI::App& command);
};

/// Runs all contenders, the baseline first, over their samples: contenders that stand together and
/// read the same ones share a pass, in which each batch goes through all of them. Throws
/// std::runtime_error for a broken sample, naming it, or if none is left.
Evaluation evaluate(std::span<const Contender> contenders, const EvaluationOptions& options);

}  // namespace tokensieve::cli
