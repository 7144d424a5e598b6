// tokensieve classify: what the pictures show, dense and sieved side by side.

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "classify_report.h"
#include "classify_text.h"
#include "commands.h"
#include "inputs.h"
#include "json_output.h"
#include "model_option.h"
#include "option_values.h"
#include "progress.h"
#include "runs.h"
#include "texts_option.h"

namespace tokensieve::cli {
namespace {

struct ClassifyOptions {
  ModelOption model;
  PicturesOption pictures;
  RecipeOption recipes;
  TextsOption texts;
  bool compare_dense = true, brief = false, json = false;
  int batch = 1, repeat = 5, top = 5;
};

std::vector<NamedRecipe> recipes_to_run(const ClassifyOptions& options, const LoadedModel& model) {
  auto recipes = options.recipes.resolve(model);
  return options.compare_dense ? dense_first(std::move(recipes)) : recipes;
}

// One batch of pictures through all recipes; of those that can be read.
std::vector<PictureReport> classify_batch(const Classifier& classifier,
                                          const PicturesOption& pictures_option,
                                          std::span<const std::filesystem::path> wanted,
                                          const ClassifyReport& report, int repeat, bool warm) {
  std::vector<std::filesystem::path> paths;
  std::vector<std::vector<float>> pixels;
  for (const auto& path : wanted) {
    const std::optional<Image> picture = pictures_option.read(path);
    if (!picture) continue;
    paths.push_back(path);
    pixels.push_back(classifier.preprocess(*picture));
  }
  if (paths.empty()) return {};
  const auto batch = views_of(classifier.folder(), pixels);
  const int64_t dense = dense_macs(classifier.folder());
  if (!warm) run_in_turns(classifier, batch, report.recipes, 1);
  auto runs = run_in_turns(classifier, batch, report.recipes, repeat);

  std::vector<PictureReport> pictures;
  for (size_t i = 0; i < paths.size(); ++i) {
    PictureReport picture{paths[i].string(), 0, {}};
    for (BatchRun& run : runs) {
      Classification& result = run.results[i];
      picture.dense_macs = dense;
      picture.runs.push_back({std::move(result.top), softmax(result.output.logits),
                              tokens_left(result.output.trace), result.output.macs.total(),
                              run.seconds / static_cast<double>(paths.size())});
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

void print_heading(const ClassifyOptions& options, const std::filesystem::path& path,
                   const ModelFolder& model, const ClassifyReport& report) {
  std::cout << describe(path, model) << ", threads: " << options.model.thread_count()
            << ", batch: " << options.batch << "\n\n";
  if (report.recipes.size() == 1 && options.recipes.texts.empty() && model.recipe == "dense") {
    std::cerr << "note: this model has no recipe of its own; try --recipe 'evit(keep=0.7)'\n";
  }
}

void run_classify(ClassifyOptions& options) {
  options.model.texts = options.texts.given("classify", !options.pictures.inputs.empty());
  if (options.model.texts) {
    check_argument(!options.brief, "[classify] --brief is for pictures");
    check_argument(options.batch == 1, "[classify] --batch is for pictures; texts run one by one");
    classify_texts({options.model, options.recipes, options.texts.find("classify"),
                    options.compare_dense, options.json, options.repeat, options.top});
    return;
  }
  const auto model_path = options.model.path();
  const auto paths = options.pictures.find("classify");
  const LoadedModel model = options.model.load(options.top);
  const Classifier& classifier = model.pictures("classify");
  model.num_classes("classify");
  ClassifyReport report{recipes_to_run(options, model), {}};

  {
    Progress progress("classify", options.json || options.brief ? paths.size() : 0);
    const auto step = static_cast<size_t>(options.batch);
    for (size_t done = 0; done < paths.size(); done += step) {
      const auto batch = std::span(paths).subspan(done, std::min(step, paths.size() - done));
      auto pictures = classify_batch(classifier, options.pictures, batch, report, options.repeat,
                                     !report.pictures.empty());
      if (report.pictures.empty() && !pictures.empty() && !options.json) {
        print_heading(options, model_path, classifier.folder(), report);
      }
      for (PictureReport& picture : pictures) {
        if (!options.json && !options.brief) {
          std::cout << picture_text(report, picture, classifier.folder()) << "\n" << std::flush;
        }
        report.pictures.push_back(std::move(picture));
      }
      progress.update(done + batch.size());
    }
  }

  check_runtime(!report.pictures.empty(), "[classify] none of the pictures can be read");
  if (options.json) {
    nlohmann::ordered_json json{{"model", model_path.string()},
                                {"threads", options.model.thread_count()},
                                {"batch", options.batch},
                                {"repeat", options.repeat}};
    json.update(to_json(report));
    print_json(json);
  } else if (options.brief || report.pictures.size() > 1) {
    std::cout << summary_text(report);
  }
}

}  // namespace

void add_classify(CLI::App& program) {
  auto options = std::make_shared<ClassifyOptions>();
  CLI::App* command =
      program.add_subcommand("classify", "Say what pictures show or texts say, dense and sieved");
  options->pictures.add_to(*command, false);
  options->texts.add_to(*command);
  options->model.add_to(*command);
  options->recipes.add_to(*command);
  command->add_flag("--compare-dense,!--no-dense", options->compare_dense,
                    "Run the dense network too, or not [run it]");
  command->add_option("--batch", options->batch, "Pictures in one call")
      ->type_name("N")
      ->check(count_up_to(kMaxBatch))
      ->capture_default_str();
  command->add_option("--repeat", options->repeat, "Runs of which the median time is taken")
      ->type_name("N")
      ->check(count_up_to(10'000))
      ->capture_default_str();
  command->add_option("--top", options->top, "Guesses for each picture")
      ->type_name("N")
      ->check(count_up_to(100'000))
      ->capture_default_str();
  command->add_flag("--brief", options->brief, "Print the table at the end only");
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer(
      "Time is the network's, warmed up, without reading the picture.\n"
      "Example: tokensieve classify --recipe 'evit(keep=0.7, fuse)' demos/images\n"
      "         tokensieve classify --text 'old jokes, but such a good cast'");
  command->callback([options] { run_classify(*options); });
}

}  // namespace tokensieve::cli
