// tokensieve calibrate: what each density of a recipe costs and gives on a user's pictures or
// texts, kept in the model folder for calls that name a budget.

#include <iostream>
#include <memory>
#include <optional>

#include "calibration.h"
#include "commands.h"
#include "inputs.h"
#include "json_output.h"
#include "model_option.h"
#include "open_samples.h"
#include "option_values.h"
#include "sweep.h"
#include "table.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/calibration_file.h"
#include "tokensieve/io/text_dataset.h"

namespace tokensieve::cli {
namespace {

struct CalibrateOptions {
  ModelOption model;
  std::string data, recipe, sweep;
  SampleOptions samples;
  EvaluationOptions run;
  int repeat = 64;
  bool only_latency = false, no_latency = false, json = false;
};

NamedRecipe recipe_to_calibrate(const CalibrateOptions& options, const LoadedModel& model) {
  std::vector<std::string> texts;
  if (!options.recipe.empty()) texts.push_back(options.recipe);
  NamedRecipe recipe = resolve_recipes(texts, model.folder().recipe, {}, model).front();
  check_argument(!recipe.recipe.is_dense(),
                 "[calibrate] expected a recipe with a density, got dense; pass one, such as "
                 "--recipe 'evit(keep=0.7)'");
  return recipe;
}

// A calibration on many samples is not to be lost unseen to one on a few.
void note_replaced(const LoadedModel& model, const Recipe& recipe) {
  for (const Calibration& before : model.folder().calibrations) {
    if (!before.is_of(recipe)) continue;
    std::cerr << "note: this replaces the calibration on "
              << counted(static_cast<size_t>(before.samples), "sample") << ", with its times\n";
  }
}

// The staircase that is there, for the times of this machine.
Calibration present_calibration(const CalibrateOptions& options, const LoadedModel& model) {
  check_argument(
      options.sweep.empty() && options.run.limit == 0,
      "[calibrate] --only-latency times the steps that are there; leave --sweep and --limit "
      "out");
  std::optional<Recipe> recipe;
  if (!model.default_recipe().is_dense()) recipe = model.default_recipe();
  if (!options.recipe.empty()) recipe = Recipe::parse(options.recipe);
  Calibration calibration = find_calibration(model.folder().calibrations, recipe);
  std::erase_if(calibration.latencies,
                [&](const MachineLatency& latency) { return latency.machine == model.machine(); });
  return calibration;
}

// Shares of the tokens have a range that suits all models; thresholds and counts do not.
std::vector<double> densities_of(const CalibrateOptions& options, const NamedRecipe& recipe) {
  if (!options.sweep.empty()) return parse_sweep(options.sweep);
  const std::string key = recipe.recipe.density_key();
  const bool counts = key == "r" || key == "patience";
  check_argument(key == "keep" || key == "mass", "[calibrate] expected --sweep with a ", key,
                 ", such as --sweep ", counts ? "1..8:1" : "0.001..0.01:0.001");
  return parse_sweep("0.9..0.2");
}

Calibration calibrate(const CalibrateOptions& options, const LoadedModel& model,
                      std::vector<std::string>& skipped) {
  model.num_classes("calibrate");
  check_argument(model.reads_texts() || options.samples.max_length == 0,
                 "[calibrate] --max-length is for text models");
  const auto samples = open_samples(options.data, model, options.samples, "calibrate");
  Calibration calibration;
  if (options.only_latency) {
    calibration = present_calibration(options, model);
  } else {
    const NamedRecipe recipe = recipe_to_calibrate(options, model);
    const auto densities = densities_of(options, recipe);
    note_replaced(model, recipe.recipe);
    Staircase staircase = measure_staircase(model, *samples, recipe, densities, options.run);
    calibration = std::move(staircase.calibration);
    skipped = std::move(staircase.skipped);
  }
  if (!options.no_latency) {
    calibration.latencies.push_back(
        measure_latency(model, calibration, *samples, options.repeat, options.run));
  }
  return calibration;
}

void run_calibrate(const CalibrateOptions& options) {
  const auto model_path = options.model.path();
  check_exists("calibrate", options.data);
  check_writable("calibrate", model_path / "sieve.json");
  const LoadedModel model = options.model.load(1);
  std::vector<std::string> skipped;
  const Calibration calibration = calibrate(options, model, skipped);
  const std::string file = (model_path / "sieve.json").string();
  if (options.json) {
    save_calibration(calibration, model_path);
    print_json({{"model", model_path.string()},
                {"data", options.data},
                {"skipped", skipped.size()},
                {"file", file},
                {"calibration", nlohmann::ordered_json::parse(calibration_json(calibration))}});
    return;
  }
  if (!skipped.empty()) {
    std::cerr << "skipped " << counted(skipped.size(), "picture")
              << " that could not be read, the first: " << skipped.front() << "\n";
  }
  std::cout << describe(model_path, model.folder()) << "\n\n"
            << to_text(calibration, model.machine()) << std::flush;
  save_calibration(calibration, model_path);  // where that fails, people have seen the table
  std::cout << "\nwrote " << file << "\n";
}

}  // namespace

void add_calibrate(CLI::App& program) {
  auto options = std::make_shared<CalibrateOptions>();
  options->run.operation = "calibrate";
  CLI::App* command = program.add_subcommand(
      "calibrate", "Measure what each density gives on your pictures or texts, for budgets");
  command
      ->add_option(
          "data", options->data,
          "Folder of pictures, with classes or without, or a list; .tsv or .jsonl of texts")
      ->type_name("DATA")
      ->required();
  options->model.add_to(*command);
  command->add_option("-r,--recipe", options->recipe, "Recipe to calibrate [the model's]")
      ->type_name("RECIPE");
  command
      ->add_option("--sweep", options->sweep,
                   "Densities: FROM..TO or FROM..TO:STEP [0.9..0.2 for keep and mass]")
      ->type_name("RANGE");
  options->run.add_to(*command);
  CLI::Option* only = command->add_flag("--only-latency", options->only_latency,
                                        "Only time the steps calibrated before, on this machine");
  command->add_flag("--no-latency", options->no_latency, "Do not time the steps")->excludes(only);
  command->add_option("--repeat", options->repeat, "Timed calls of dense and of each step")
      ->type_name("N")
      ->check(count_up_to(100'000))
      ->capture_default_str();
  command
      ->add_option("--max-length", options->samples.max_length,
                   "Tokens of a text that are read [as many as the model can]")
      ->type_name("N")
      ->check(count_up_to(1'000'000'000));
  command->add_flag("--skip-broken", options->run.skip_broken,
                    "Leave out pictures that cannot be read, and count them");
  command->add_flag("!--no-orientation", options->samples.decode.apply_orientation,
                    "Do not turn pictures as EXIF says; timm and torchvision do not either");
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer(
      "The result goes into the model folder's sieve.json. Then: classify --agree 0.99, --macs "
      "1.5G "
      "or\n--latency-ms 8. Use samples that the model was not trained on.\n"
      "Example: tokensieve calibrate --sweep 0.9..0.3 DATA");
  command->callback([options] {
    options->model.texts = is_text_dataset(options->data);
    run_calibrate(*options);
  });
}

}  // namespace tokensieve::cli
