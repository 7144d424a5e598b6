#include "calibration.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "progress.h"
#include "runs.h"
#include "statistics.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

constexpr size_t kTimedSamples = 16;

// A few samples, ready for the network.
std::vector<Input> timed_inputs(const Samples& samples, const EvaluationOptions& options) {
  std::vector<Input> inputs;
  for (const size_t index : spread(samples.size(), kTimedSamples)) {
    try {
      inputs.push_back(samples.read(index));
    } catch (const std::runtime_error&) {
      if (!options.skip_broken) throw;
    }
  }
  check_runtime(!inputs.empty(), "[", options.operation, "] none of the pictures could be read");
  return inputs;
}

double milliseconds_of(const LoadedModel& model, const Input& input, const Recipe& recipe) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  model.classify(std::span(&input, 1), recipe);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

Staircase measure_staircase(const LoadedModel& model, const Samples& samples,
                            const NamedRecipe& recipe, const std::vector<double>& densities,
                            const EvaluationOptions& options) {
  std::vector<NamedRecipe> recipes{{"dense", Recipe()}};
  for (const double density : densities) {
    recipes.push_back(with_density(recipe, recipe.recipe.density_key(), density));
  }
  std::vector<Contender> contenders;
  for (NamedRecipe& step : recipes) contenders.push_back({&model, std::move(step), &samples});
  Evaluation evaluation = evaluate(contenders, options);
  const std::vector<int>& labels = evaluation.labels;
  const auto& answers = evaluation.results.front().predictions;  // dense's
  const bool has_labels = std::ranges::none_of(labels, [](int label) { return label < 0; });
  const auto mean_macs = [&](const RecipeResult& result) {
    const double sum = std::accumulate(result.macs.begin(), result.macs.end(), 0.0);
    return sum / static_cast<double>(labels.size());
  };
  const auto correct = [&](const std::vector<int>& predictions) -> std::optional<int64_t> {
    if (!has_labels) return std::nullopt;
    int64_t count = 0;
    for (size_t i = 0; i < labels.size(); ++i) count += predictions[i] == labels[i] ? 1 : 0;
    return count;
  };

  Calibration calibration;
  calibration.recipe = recipe.name;
  calibration.samples = static_cast<int64_t>(labels.size());
  calibration.dense_macs = mean_macs(evaluation.results.front());
  calibration.dense_correct = correct(answers);
  for (size_t s = 0; s < densities.size(); ++s) {
    const RecipeResult& result = evaluation.results[s + 1];
    int64_t agreed = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      agreed += result.predictions[i] == answers[i] && answers[i] != kNoLabel ? 1 : 0;
    }
    calibration.steps.push_back(
        {densities[s], mean_macs(result), agreed, correct(result.predictions)});
  }
  std::ranges::stable_sort(calibration.steps, std::greater(), &CalibrationStep::macs);
  return {std::move(calibration), std::move(evaluation.skipped)};
}

MachineLatency measure_latency(const LoadedModel& model, const Calibration& calibration,
                               const Samples& samples, int repeat,
                               const EvaluationOptions& options) {
  const auto inputs = timed_inputs(samples, options);
  std::vector<Recipe> recipes{Recipe()};
  for (size_t s = 0; s < calibration.steps.size(); ++s) recipes.push_back(calibration.at(s));
  for (const Input& input : inputs) {  // warm up
    for (const Recipe& recipe : recipes) milliseconds_of(model, input, recipe);
  }
  std::vector<std::vector<double>> times(recipes.size());
  Progress progress("latency", static_cast<size_t>(repeat));
  for (size_t turn = 0; turn < static_cast<size_t>(repeat); ++turn) {
    for (size_t i = 0; i < recipes.size(); ++i) {
      const size_t r = (turn + i) % recipes.size();
      times[r].push_back(milliseconds_of(model, inputs[turn % inputs.size()], recipes[r]));
    }
    progress.update(turn + 1);
  }
  std::vector<Latency> latencies;
  for (const auto& of_recipe : times) {
    latencies.push_back({median(of_recipe), quantile(of_recipe, 0.1), quantile(of_recipe, 0.9)});
  }
  return {model.machine(), latencies.front(), {latencies.begin() + 1, latencies.end()}};
}

}  // namespace tokensieve::cli
