// tokensieve visualize: pictures of what a recipe keeps and drops of pictures, or of texts.

#include <iostream>
#include <memory>
#include <optional>
#include <set>

#include "commands.h"
#include "inputs.h"
#include "json_output.h"
#include "model_option.h"
#include "option_values.h"
#include "picture_files.h"
#include "progress.h"
#include "runs.h"
#include "texts_option.h"
#include "tokensieve/core/error.h"
#include "visualize_text.h"

namespace tokensieve::cli {
namespace {

constexpr int kRepeat = 3;  // the times in a caption are for orientation

struct VisualizeOptions {
  ModelOption model;
  PicturesOption pictures;
  TextsOption texts;
  RecipeOption recipes;
  std::string out, colormap = "viridis";
  int magnify = 0;
  bool maps = true, times = true, json = false;
};

RunSummary summary_of(const Classification& result, std::optional<double> seconds) {
  RunSummary summary;
  for (const Guess& guess : result.top) summary.top.push_back({guess.name, guess.probability});
  summary.macs = result.output.macs.total();
  if (seconds) summary.milliseconds = 1e3 * *seconds;
  return summary;
}

// A name for files of `path` under recipe `r` that none in `taken` has yet.
std::string new_stem(const std::filesystem::path& path, size_t r, size_t recipes,
                     std::set<std::string>& taken) {
  std::string stem = path.stem().string();
  if (recipes > 1) stem += "_recipe" + std::to_string(r + 1);
  std::string candidate = stem;
  for (int i = 2; !taken.insert(candidate).second; ++i) candidate = stem + "_" + std::to_string(i);
  return candidate;
}

// One picture under all recipes; the first one in `recipes` is dense and only feeds the captions.
void add_visuals(const Classifier& classifier, const std::filesystem::path& path,
                 const Image& picture, std::span<const NamedRecipe> recipes, bool times,
                 std::set<std::string>& stems, std::deque<Visual>& visuals) {
  const ModelFolder& model = classifier.folder();
  const std::vector<std::vector<float>> pixels{classifier.preprocess(picture)};
  const auto batch = views_of(model, pixels);
  if (visuals.empty() && times) run_in_turns(classifier, batch, recipes, 1);  // warm up
  auto runs = run_in_turns(classifier, batch, recipes, times ? kRepeat : 1);

  const auto summary = [&](const BatchRun& run) {
    return summary_of(run.results.front(), times ? std::optional(run.seconds) : std::nullopt);
  };
  const RunSummary dense = summary(runs.front());
  for (size_t r = 1; r < recipes.size(); ++r) {
    Classification& result = runs[r].results.front();
    Visual visual;
    visual.stem = new_stem(path, r - 1, recipes.size() - 1, stems);
    visual.image = resize_and_crop(picture, model.preprocessing);
    visual.grid_height = batch.front().height / model.vit.patch_size;
    visual.grid_width = batch.front().width / model.vit.patch_size;
    visual.caption = {path.filename().string(), recipes[r].name, dense, summary(runs[r])};
    visual.network = &model.vit;
    visual.trace = std::move(result.output.trace);
    visuals.push_back(std::move(visual));
  }
}

void run_visualize(VisualizeOptions& options) {
  options.model.texts = options.texts.given("visualize", !options.pictures.inputs.empty());
  const auto colormap =
      choose<Colormap>("colormap", options.colormap,
                       {{"viridis", Colormap::viridis}, {"cividis", Colormap::cividis}});
  if (options.model.texts) {
    check_argument(options.maps && options.magnify == StripOptions().magnify,
                   "[visualize] --magnify and --no-maps are for pictures");
    visualize_texts({options.model, options.recipes, options.texts.find("visualize"), options.out,
                     colormap, options.times, options.json});
    return;
  }
  check_argument(!options.out.empty(), "[visualize] expected --out OUT for pictures");
  const bool page = output_kind(options.out) == OutputKind::html;  // before the work, not after it
  check_argument(!page || (options.maps && options.magnify == StripOptions().magnify &&
                           colormap == StripOptions().colormap),
                 "[visualize] --colormap, --magnify and --no-maps are for PNG files and folders");
  StripOptions strip;
  strip.magnify = options.magnify;
  strip.maps = options.maps;
  strip.colormap = colormap;
  const auto model_path = options.model.path();
  const auto paths = options.pictures.find("visualize");
  const LoadedModel loaded = options.model.load(3);
  const Classifier& classifier = loaded.pictures("visualize");
  const ModelFolder& model = classifier.folder();
  auto recipes = options.recipes.resolve(loaded);
  const bool masks = !model.vit.masks.heads.empty();
  if (recipes.size() == 1 && recipes.front().recipe.is_dense() && !masks) {
    std::cerr << "note: the dense network drops nothing; try --recipe 'evit(keep=0.7)'\n";
  }
  recipes.insert(recipes.begin(), {"dense", Recipe()});

  std::deque<Visual> visuals;
  {
    std::set<std::string> stems;
    Progress progress("visualize", paths.size());
    for (size_t i = 0; i < paths.size(); ++i) {
      if (const std::optional<Image> picture = options.pictures.read(paths[i])) {
        add_visuals(classifier, paths[i], *picture, recipes, options.times, stems, visuals);
      }
      progress.update(i + 1);
    }
  }
  check_runtime(!visuals.empty(), "[visualize] none of the pictures can be read");
  ReportOptions report;
  report.subtitle = describe(model_path, model);
  const auto files = write_visuals(options.out, visuals, strip, report);

  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.string());
  if (options.json) {
    print_json({{"model", model_path.string()}, {"pictures", paths.size()}, {"files", names}});
  } else {
    for (const std::string& name : names) std::cout << "wrote " << name << "\n";
  }
}

}  // namespace

void add_visualize(CLI::App& program) {
  auto options = std::make_shared<VisualizeOptions>();
  CLI::App* command = program.add_subcommand("visualize", "Draw which tokens a recipe keeps");
  options->pictures.add_to(*command, false);
  options->texts.add_to(*command);
  command
      ->add_option(
          "-o,--out", options->out,
          "NAME.png: strips; NAME.html: a page; NAME: a folder of all [texts: the terminal]")
      ->type_name("OUT");
  options->model.add_to(*command);
  options->recipes.add_to(*command);
  command->add_option("--magnify", options->magnify, "Enlarge pictures by this whole factor")
      ->type_name("N")
      ->check(count_up_to(64));
  command->add_option("--colormap", options->colormap, "Colours of heat maps: viridis, cividis")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("!--no-maps", options->maps, "Leave heat maps out of strips");
  command->add_flag("!--no-times", options->times,
                    "Leave times out, so that the same files come out every time");
  command->add_flag("--json", options->json, "Print one JSON object with the files written");
  command->footer(
      "Example: tokensieve visualize --keep 0.5 --out kept.html demos/images\n"
      "         tokensieve visualize --text 'old jokes, but such a good cast'");
  command->callback([options] { run_visualize(*options); });
}

}  // namespace tokensieve::cli
