// tokensieve evaluate: accuracy, MACs and speed of recipes on labelled pictures.

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <tuple>

#include "commands.h"
#include "evaluation_report.h"
#include "inputs.h"
#include "json_output.h"
#include "label_map.h"
#include "model_option.h"
#include "option_values.h"
#include "sweep.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/io/file.h"

namespace tokensieve::cli {
namespace {

struct EvaluateOptions {
  ModelOption model, baseline;
  std::string data, sweep, predictions, csv, plot;
  std::vector<std::string> recipes;
  BudgetOption budget;
  EvaluationOptions run;
  size_t limit = 0;
  int rounds = 9;
  bool json = false;
};

LabelledPictures open_pictures(const EvaluateOptions& options, const ModelFolder& model) {
  check_exists("evaluate", options.data);
  const ImageDataset data = std::filesystem::is_directory(options.data)
                                ? open_image_folder(options.data)
                                : read_image_list(options.data);
  const std::vector<int> labels = labels_of(data, model);
  LabelledPictures pictures{{}, labels};
  for (const Sample& sample : data.samples) pictures.paths.push_back(sample.path);
  return spread(pictures, options.limit);
}

std::vector<NamedRecipe> recipes_to_run(const EvaluateOptions& options,
                                        const Classifier& classifier) {
  if (const auto budget = options.budget.get()) {
    check_argument(options.sweep.empty(), "[budget] expected --sweep or ",
                   budget_word(budget->kind), ", which chooses a density, got both");
    return resolve_within(options.recipes, *budget, classifier);
  }
  auto recipes = resolve_recipes(options.recipes, classifier.folder().recipe, {}, classifier.vit());
  return options.sweep.empty() ? recipes : sweep(recipes, parse_sweep(options.sweep));
}

// Dense first, whether asked for or not: all others are compared with it. With a baseline that is
// another model's, and the model's own with all tokens comes second.
std::vector<Contender> contenders_of(const EvaluateOptions& options, const Classifier& classifier,
                                     const Classifier* baseline) {
  std::vector<Contender> contenders;
  for (NamedRecipe& recipe : dense_first(recipes_to_run(options, classifier))) {
    contenders.push_back({&classifier, std::move(recipe)});
  }
  if (baseline != nullptr) {
    contenders.front().recipe.name = "all tokens";
    contenders.insert(contenders.begin(), {baseline, {"dense", Recipe()}});
  }
  return contenders;
}

// The model whose dense network the others are compared with, if it is not their own.
std::optional<Classifier> load_baseline(const EvaluateOptions& options, const ModelFolder& model) {
  if (options.baseline.folder.empty()) return std::nullopt;
  ModelOption option = options.baseline;
  option.threads = options.model.threads;
  std::optional<Classifier> baseline = option.load(1);
  const auto input = [](const Preprocessing& p) {
    return std::tie(p.height, p.width, p.crop_pct, p.crop_mode, p.interpolation, p.mean, p.std);
  };
  const ModelFolder& other = baseline->folder();
  check_runtime(other.labels == model.labels && other.vit.num_classes == model.vit.num_classes,
                "[evaluate] expected a baseline with the model's labels, got ", option.folder);
  check_runtime(input(other.preprocessing) == input(model.preprocessing),
                "[evaluate] expected a baseline that preprocesses pictures as the model does, got ",
                option.folder);
  return baseline;
}

void report_skipped(const Evaluation& evaluation) {
  if (evaluation.skipped.empty()) return;
  constexpr size_t kShown = 5;
  std::cerr << "skipped " << evaluation.skipped.size() << " pictures that could not be read:\n";
  for (size_t i = 0; i < std::min(kShown, evaluation.skipped.size()); ++i) {
    std::cerr << "  " << evaluation.skipped[i] << "\n";
  }
  if (evaluation.skipped.size() > kShown) std::cerr << "  ...\n";
}

std::string heading(const EvaluateOptions& options, const ModelFolder& model, size_t pictures) {
  std::string first = cat(describe(options.model.path(), model), ", ", pictures,
                          " pictures, threads: ", options.model.thread_count());
  if (!options.baseline.folder.empty()) first += ", dense: " + options.baseline.folder;
  if (options.rounds == 0) return first + "\n\n";
  return cat(first, "\nimages/s: median of ", options.rounds, " rounds, recipes in turns, on ",
             std::min(pictures, kSpeedPictures),
             " of the pictures; ± half the quartiles' distance\n\n");
}

// Complains before the work and not after it.
void check_outputs(const EvaluateOptions& options) {
  for (const std::string& file : {options.predictions, options.csv, options.plot}) {
    const auto folder = std::filesystem::path(file).parent_path();
    check_runtime(folder.empty() || std::filesystem::is_directory(folder),
                  "[evaluate] there is no folder ", folder.string(), " to write ", file, " to");
  }
  if (!options.plot.empty()) check_plot_name(options.plot);
}

void run_evaluate(const EvaluateOptions& options) {
  check_outputs(options);
  const auto model_path = options.model.path();
  const Classifier classifier = options.model.load(1);
  const ModelFolder& model = classifier.folder();
  const LabelledPictures pictures = open_pictures(options, model);
  const std::optional<Classifier> baseline = load_baseline(options, model);
  const auto contenders = contenders_of(options, classifier, baseline ? &*baseline : nullptr);
  const Evaluation evaluation = evaluate(contenders, pictures, options.run);
  std::vector<std::vector<Speed>> speeds;
  if (options.rounds > 0) {
    speeds =
        measure_speed(contenders, evaluation.pictures.paths, {options.rounds, options.run.decode});
  }
  const auto scores = score(evaluation, std::move(speeds));
  report_skipped(evaluation);
  if (!options.predictions.empty()) write_predictions(options.predictions, evaluation);
  if (!options.csv.empty()) write_text_file(options.csv, to_csv(scores));
  if (!options.plot.empty()) write_tradeoff_plot(options.plot, scores);

  const size_t count = evaluation.pictures.paths.size();
  if (options.json) {
    print_json({{"model", model_path.string()},
                {"baseline", baseline ? options.baseline.folder : model_path.string()},
                {"data", options.data},
                {"images", count},
                {"skipped", evaluation.skipped.size()},
                {"threads", options.model.thread_count()},
                {"batch", options.run.batch},
                {"speed_images", options.rounds > 0 ? std::min(count, kSpeedPictures) : 0},
                {"speed_rounds", options.rounds},
                {"difference_interval_method", "paired, Agresti-Min"},
                {"recipes", to_json(scores)}});
  } else {
    std::cout << heading(options, model, count) << to_text(scores);
  }
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      program.add_subcommand("evaluate", "Measure accuracy, MACs and speed of recipes");
  command
      ->add_option("data", options->data, "Folder with a folder of pictures per class, or a list")
      ->type_name("DATA")
      ->required();
  options->model.add_to(*command);
  command
      ->add_option("--baseline", options->baseline.folder,
                   "Compare with this model's dense network [the model's own]")
      ->type_name("DIR");
  command
      ->add_option("-r,--recipes", options->recipes, "Recipes to compare with dense [the model's]")
      ->type_name("RECIPE...");
  command
      ->add_option("--sweep", options->sweep,
                   "Run the recipes at these densities: FROM..TO or FROM..TO:STEP")
      ->type_name("RANGE");
  options->budget.add_to(*command);
  command
      ->add_option("--limit", options->limit, "Use this many pictures, spread over the data [all]")
      ->type_name("N")
      ->check(count_up_to(1'000'000'000));
  command->add_option("--batch", options->run.batch, "Pictures in one call")
      ->type_name("N")
      ->check(count_up_to(4096))
      ->capture_default_str();
  command->add_option("--workers", options->run.workers, "Threads that decode pictures")
      ->type_name("N")
      ->check(count_up_to(256))
      ->capture_default_str();
  command->add_flag("--skip-broken", options->run.skip_broken,
                    "Leave out pictures that cannot be read, and count them");
  command->add_flag("!--no-orientation", options->run.decode.apply_orientation,
                    "Do not turn pictures as EXIF says; timm and torchvision do not either");
  command
      ->add_option("--rounds", options->rounds,
                   "Rounds in which speed is timed, at batches of 1 and 8; 0 leaves it out")
      ->type_name("N")
      ->check(count_from(0, 10'000))
      ->capture_default_str();
  command
      ->add_option("--predictions", options->predictions,
                   "Write every picture's label and predictions to this CSV file")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "Write the table to this CSV file")->type_name("FILE");
  command
      ->add_option("--plot", options->plot,
                   "Draw accuracy over MACs and images/s to this .png or .svg file")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer(
      "top-1: Wilson's interval. Difference to dense: paired, Agresti and Min. Speed: the network\n"
      "alone, after all pictures are judged, on 16 of them; recipes take turns call by call. "
      "MACs:\n"
      "the speed-up that they allow; of MACs: the speed-up as a share of it.\n"
      "Example: tokensieve evaluate DATA --recipes 'evit(keep=0.7)' 'random(keep=0.7)' "
      "--sweep 0.9..0.2 --plot curve.svg");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace tokensieve::cli
