#include "calibration.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "label_map.h"
#include "progress.h"
#include "runs.h"
#include "statistics.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/dataset.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTimedPictures = 16;

bool has_pictures_of_its_own(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (has_image_extension(entry.path())) return true;
  }
  return false;
}

bool has_folders(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) return true;
  }
  return false;
}

LabelledPictures unlabelled(std::vector<fs::path> paths) {
  const std::vector<int> labels(paths.size(), -1);
  return {std::move(paths), labels};
}

LabelledPictures labelled(const ImageDataset& data, const ModelFolder& model) {
  LabelledPictures pictures{{}, labels_of(data, model, "calibrate")};
  for (const Sample& sample : data.samples) pictures.paths.push_back(sample.path);
  return pictures;
}

// A few pictures, ready for the network.
std::vector<std::vector<float>> pixels_of(const Classifier& classifier,
                                          const LabelledPictures& pictures,
                                          const EvaluationOptions& options) {
  std::vector<std::vector<float>> pixels;
  for (const fs::path& path : spread(pictures, kTimedPictures).paths) {
    try {
      pixels.push_back(classifier.preprocess(read_image(path, options.decode)));
    } catch (const std::runtime_error&) {
      if (!options.skip_broken) throw;
    }
  }
  check_runtime(!pixels.empty(), "[", options.operation, "] none of the pictures could be read");
  return pixels;
}

double milliseconds_of(const Classifier& classifier, const PixelsView& picture,
                       const Recipe& recipe) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  classifier.classify(std::span(&picture, 1), recipe);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

LabelledPictures open_calibration_pictures(const fs::path& data, const ModelFolder& model) {
  if (!fs::is_directory(data)) {
    const ImageDataset list = read_image_list(data);
    const bool known =
        std::ranges::all_of(list.samples, [](const Sample& s) { return s.label >= 0; });
    if (known) return labelled(list, model);
    return unlabelled(expand_inputs(std::span(&data, 1)));
  }
  if (!has_pictures_of_its_own(data) && has_folders(data)) {
    try {
      return labelled(open_image_folder(data), model);
    } catch (const std::runtime_error& error) {
      std::cerr << "note: no accuracy, the pictures count as unlabelled: " << error.what() << "\n";
    }
  }
  auto paths = find_images(data);
  check_runtime(!paths.empty(), "[calibrate] no pictures in ", data.string());
  return unlabelled(std::move(paths));
}

Staircase measure_staircase(const Classifier& classifier, const LabelledPictures& pictures,
                            const NamedRecipe& recipe, const std::vector<double>& densities,
                            const EvaluationOptions& options) {
  std::vector<NamedRecipe> recipes{{"dense", Recipe()}};
  for (const double density : densities) {
    recipes.push_back(with_density(recipe, recipe.recipe.density_key(), density));
  }
  std::vector<Contender> contenders;
  for (NamedRecipe& step : recipes) contenders.push_back({&classifier, std::move(step)});
  Evaluation evaluation = evaluate(contenders, pictures, options);
  const auto& labels = evaluation.pictures.labels;
  const auto& answers = evaluation.results.front().predictions;  // dense's
  const bool has_labels = std::ranges::none_of(labels, [](int label) { return label < 0; });
  const auto samples = static_cast<double>(labels.size());
  const auto correct = [&](const std::vector<int>& predictions) -> std::optional<int64_t> {
    if (!has_labels) return std::nullopt;
    int64_t count = 0;
    for (size_t i = 0; i < labels.size(); ++i) count += predictions[i] == labels[i] ? 1 : 0;
    return count;
  };

  Calibration calibration;
  calibration.recipe = recipe.name;
  calibration.samples = static_cast<int64_t>(labels.size());
  calibration.dense_macs = evaluation.results.front().macs / samples;
  calibration.dense_correct = correct(answers);
  for (size_t s = 0; s < densities.size(); ++s) {
    const RecipeResult& result = evaluation.results[s + 1];
    int64_t agreed = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      agreed += result.predictions[i] == answers[i] && answers[i] != kNoLabel ? 1 : 0;
    }
    calibration.steps.push_back(
        {densities[s], result.macs / samples, agreed, correct(result.predictions)});
  }
  std::ranges::stable_sort(calibration.steps, std::greater(), &CalibrationStep::macs);
  return {std::move(calibration), std::move(evaluation.skipped)};
}

MachineLatency measure_latency(const Classifier& classifier, const Calibration& calibration,
                               const LabelledPictures& pictures, int repeat,
                               const EvaluationOptions& options) {
  const auto pixels = pixels_of(classifier, pictures, options);
  const auto views = views_of(classifier.folder(), pixels);
  std::vector<Recipe> recipes{Recipe()};
  for (size_t s = 0; s < calibration.steps.size(); ++s) recipes.push_back(calibration.at(s));
  for (const PixelsView& view : views) {  // warm up
    for (const Recipe& recipe : recipes) milliseconds_of(classifier, view, recipe);
  }
  std::vector<std::vector<double>> times(recipes.size());
  Progress progress("latency", static_cast<size_t>(repeat));
  for (size_t turn = 0; turn < static_cast<size_t>(repeat); ++turn) {
    for (size_t i = 0; i < recipes.size(); ++i) {
      const size_t r = (turn + i) % recipes.size();
      times[r].push_back(milliseconds_of(classifier, views[turn % views.size()], recipes[r]));
    }
    progress.update(turn + 1);
  }
  std::vector<Latency> latencies;
  for (const auto& of_recipe : times) {
    latencies.push_back({median(of_recipe), quantile(of_recipe, 0.1), quantile(of_recipe, 0.9)});
  }
  return {classifier.machine(), latencies.front(), {latencies.begin() + 1, latencies.end()}};
}

}  // namespace tokensieve::cli
