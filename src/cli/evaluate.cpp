// tokensieve evaluate: accuracy, MACs and speed of recipes on labelled pictures or texts.

#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "commands.h"
#include "evaluation_report.h"
#include "inputs.h"
#include "json_output.h"
#include "model_option.h"
#include "open_samples.h"
#include "option_values.h"
#include "sweep.h"
#include "table.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/macs.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/text_dataset.h"
#include "truncation.h"

namespace tokensieve::cli {
namespace {

struct EvaluateOptions {
  ModelOption model;
  std::string baseline, data, sweep, predictions, csv, plot;
  std::vector<std::string> recipes;
  BudgetOption budget;
  SampleOptions samples;
  TruncateOption truncate;
  LengthBuckets buckets;
  EvaluationOptions run;
  int rounds = 9;
  bool json = false;
};

void check_texts_only(const EvaluateOptions& options, const LoadedModel& model) {
  const bool texts_only = options.truncate.given() || !options.buckets.longest.empty() ||
                          options.samples.max_length > 0;
  check_argument(model.reads_texts() || !texts_only,
                 "[evaluate] --truncate, --buckets and --max-length are for text models");
  options.truncate.check();
  check_argument(std::ranges::adjacent_find(options.buckets.longest, std::greater_equal()) ==
                     options.buckets.longest.end(),
                 "[evaluate] --buckets: expected numbers of tokens that rise");
}

void check_comparable(const ModelFolder& model, const ModelFolder& other, const std::string& name) {
  check_runtime(other.bert.has_value() == model.bert.has_value(), "[evaluate] expected a model of ",
                model.bert ? "texts" : "pictures", ", as --model is, got ", name);
  const auto classes = [](const ModelFolder& folder) {
    return folder.bert ? folder.bert->num_classes : folder.vit.num_classes;
  };
  check_runtime(other.labels == model.labels && classes(other) == classes(model),
                "[evaluate] expected a model with the labels of --model, got ", name);
  if (model.bert) return;  // each reads texts with a tokenizer of its own
  const auto input = [](const Preprocessing& p) {
    return std::tie(p.height, p.width, p.crop_pct, p.crop_mode, p.interpolation, p.mean, p.std);
  };
  check_runtime(input(other.preprocessing) == input(model.preprocessing),
                "[evaluate] expected a model that preprocesses pictures as --model does, got ",
                name);
}

// The model of --model, "", and those of other folders, each loaded once, with the data as it reads
// them.
class Models {
 public:
  struct Entry {
    LoadedModel model;
    std::unique_ptr<const Samples> read_by_it;  // none where --model's are read alike
    const Samples* samples = nullptr;
  };

  explicit Models(const EvaluateOptions& options) : options_(options) {
    ModelOption own = options.model;
    Entry& entry = entries_.try_emplace("", Entry{own.load(1), nullptr, nullptr}).first->second;
    check_texts_only(options, entry.model);
    open(entry);
  }

  const Entry& own() const { return entries_.at(""); }

  const Entry& at(const std::string& folder) {
    const auto found = entries_.find(folder);
    if (found != entries_.end()) return found->second;
    const ModelOption option{folder, options_.model.threads};
    Entry entry{option.load(1), nullptr, own().samples};
    check_comparable(own().model.folder(), entry.model.folder(), folder);
    Entry& kept = entries_.try_emplace(folder, std::move(entry)).first->second;
    if (kept.model.reads_texts()) open(kept);  // each has a tokenizer of its own
    return kept;
  }

 private:
  void open(Entry& entry) {
    entry.read_by_it = open_labelled(options_.data, entry.model, options_.samples, "evaluate");
    entry.samples = entry.read_by_it.get();
  }

  const EvaluateOptions& options_;
  std::map<std::string, Entry> entries_;
};

// "evit(keep=0.7)@runs/evit/model" as the recipe and the folder; no recipe has an '@'.
std::pair<std::string, std::string> recipe_and_folder(const std::string& text) {
  const size_t at = text.find('@');
  if (at == std::string::npos) return {text, ""};
  check_argument(at + 1 < text.size(), "[evaluate] expected RECIPE@DIR, got '", text,
                 "' without a folder");
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<NamedRecipe> recipes_to_run(const EvaluateOptions& options, Models& models) {
  const auto budget = options.budget.get();
  check_argument(!budget || options.sweep.empty(), "[budget] expected --sweep or ",
                 budget ? budget_word(budget->kind) : "", ", which chooses a density, got both");
  const LoadedModel& own = models.own().model;
  if (options.recipes.empty()) {
    auto recipes = budget ? resolve_within({}, *budget, own)
                          : resolve_recipes({}, own.folder().recipe, {}, own);
    return options.sweep.empty() ? recipes : sweep(recipes, options.sweep);
  }
  std::vector<NamedRecipe> recipes;
  bool any_sieved = false;
  for (const std::string& text : options.recipes) {
    const auto [recipe, folder] = recipe_and_folder(text);
    const LoadedModel& model = models.at(folder).model;
    auto resolved = resolve_recipes({recipe}, "", {}, model);
    const bool dense = resolved.front().recipe.is_dense();
    any_sieved |= !dense;
    if (budget && !dense) resolved = resolve_within({recipe}, *budget, model);
    resolved.front().folder = folder;
    recipes.push_back(std::move(resolved.front()));
  }
  check_argument(!budget || any_sieved, "[budget] expected a recipe with a density, got dense");
  return options.sweep.empty() ? recipes : sweep(recipes, options.sweep);
}

// Dense first, whether asked for or not: all others are compared with it. With a baseline that is
// another model's, and the model's own with all tokens comes second.
std::vector<Contender> contenders_of(const EvaluateOptions& options, Models& models) {
  std::vector<Contender> contenders;
  for (NamedRecipe& recipe : dense_first(recipes_to_run(options, models))) {
    const Models::Entry& entry = models.at(recipe.folder);
    contenders.push_back({&entry.model, std::move(recipe), entry.samples});
  }
  if (!options.baseline.empty()) {
    const Models::Entry& entry = models.at(options.baseline);
    contenders.front().recipe.name = "all tokens";
    contenders.insert(contenders.begin(), {&entry.model, {"dense", Recipe()}, entry.samples});
  }
  return contenders;
}

void report_skipped(const Evaluation& evaluation) {
  if (evaluation.skipped.empty()) return;
  constexpr size_t kShown = 5;
  std::cerr << "skipped " << counted(evaluation.skipped.size(), "picture")
            << " that could not be read:\n";
  for (size_t i = 0; i < std::min(kShown, evaluation.skipped.size()); ++i) {
    std::cerr << "  " << evaluation.skipped[i] << "\n";
  }
  if (evaluation.skipped.size() > kShown) std::cerr << "  ...\n";
}

// What texts are read up to, and what a dense run would cost if each were padded to that.
struct Padded {
  int max_length = 0;
  int64_t macs = 0;
};

std::optional<Padded> padded_run(const Contender& dense) {
  const auto* texts = dynamic_cast<const TextSamples*>(dense.samples);
  if (texts == nullptr) return std::nullopt;
  const BertConfig& config = *dense.model->folder().bert;
  return Padded{texts->max_tokens(), count_dense_macs(config, texts->max_tokens()).total()};
}

std::string heading(const EvaluateOptions& options, const ModelFolder& model,
                    const Evaluation& evaluation) {
  const Contender& dense = evaluation.results.front().contender;
  const size_t count = evaluation.labels.size();
  const auto padded = padded_run(dense);
  const char* sample = padded ? "text" : "picture";
  std::string first = cat(describe(options.model.path(), model), ", ", counted(count, sample),
                          ", threads: ", options.model.thread_count());
  if (!options.baseline.empty()) first += ", dense: " + options.baseline;
  if (padded) {
    const auto [shortest, longest] = std::ranges::minmax(evaluation.lengths);
    first += cat("\ntokens: ", shortest, " to ", longest, ", read up to ", padded->max_length,
                 "; MACs are of the tokens that texts have; dense padded to ", padded->max_length,
                 " would cost ", giga(static_cast<double>(padded->macs)), " GMAC a text");
  }
  if (options.rounds == 0) return first + "\n\n";
  return cat(first, "\n", padded ? "texts" : "images", "/s: median of ", options.rounds,
             " rounds, recipes in turns, on ", std::min(count, kSpeedSamples), " of the ", sample,
             "s; ± half the quartiles' distance\n\n");
}

nlohmann::ordered_json report_json(const EvaluateOptions& options, const Evaluation& evaluation,
                                   const std::vector<RecipeScore>& scores,
                                   const std::string& sample) {
  const size_t count = evaluation.labels.size();
  const std::string folder = options.model.path().string();
  nlohmann::ordered_json json{
      {"model", folder},
      {"baseline", options.baseline.empty() ? folder : options.baseline},
      {"data", options.data},
      {sample + "s", count},
      {"skipped", evaluation.skipped.size()},
      {"threads", options.model.thread_count()},
      {"batch", options.run.batch},
      {"speed_" + sample + "s", options.rounds > 0 ? std::min(count, kSpeedSamples) : 0},
      {"speed_rounds", options.rounds},
      {"difference_interval_method", "paired, Agresti-Min"}};
  if (const auto padded = padded_run(evaluation.results.front().contender)) {
    json["max_length"] = padded->max_length;
    json["padded_macs"] = padded->macs;
  }
  json["recipes"] = to_json(scores);
  return json;
}

// Complains before the work and not after it.
void check_outputs(const EvaluateOptions& options) {
  for (const std::string& file : {options.predictions, options.csv, options.plot}) {
    if (!file.empty()) check_writable("evaluate", file);
  }
  std::set<std::string> names;
  for (const std::string& file : {options.predictions, options.csv, options.plot}) {
    check_argument(file.empty() || names.insert(file).second,
                   "[evaluate] expected a file of its own for each output, got ", file, " twice");
  }
  if (!options.plot.empty()) check_plot_name(options.plot);
}

// Adds plain truncation, which needs the MACs of the others.
void add_truncated(const TruncateOption& option, const EvaluationOptions& run,
                   std::vector<Contender>& contenders, Evaluation& evaluation,
                   std::deque<TextSamples>& samples) {
  if (!option.given()) return;
  const auto more = truncated(contenders.front(), option.lengths(evaluation), samples);
  if (more.empty()) return;
  for (RecipeResult& result : evaluate(more, run).results) {
    evaluation.results.push_back(std::move(result));
  }
  contenders.insert(contenders.end(), more.begin(), more.end());
}

void run_evaluate(const EvaluateOptions& options) {
  check_outputs(options);
  Models models(options);
  const LoadedModel& model = models.own().model;
  auto contenders = contenders_of(options, models);
  Evaluation evaluation = evaluate(contenders, options.run);
  std::deque<TextSamples> cut;
  add_truncated(options.truncate, options.run, contenders, evaluation, cut);
  std::vector<std::vector<Speed>> speeds;
  if (options.rounds > 0) {
    speeds = measure_speed(contenders, evaluation.samples, options.rounds);
  }
  LengthBuckets buckets = options.buckets;
  if (model.reads_texts() && buckets.longest.empty()) buckets = quartile_buckets(evaluation);
  const auto scores = score(evaluation, std::move(speeds), buckets);
  const std::string sample = model.reads_texts() ? "text" : "image";
  report_skipped(evaluation);
  if (options.json) {
    print_json(report_json(options, evaluation, scores, sample));
  } else {
    std::cout << heading(options, model.folder(), evaluation) << to_text(scores, sample);
  }
  std::cout << std::flush;  // what was found is out before a file that cannot be written
  if (!options.predictions.empty()) write_predictions(options.predictions, evaluation, sample);
  if (!options.csv.empty()) write_text_file(options.csv, to_csv(scores));
  if (!options.plot.empty()) write_tradeoff_plot(options.plot, scores, sample);
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      program.add_subcommand("evaluate", "Measure accuracy, MACs and speed of recipes");
  command
      ->add_option("data", options->data,
                   "Folder with a folder of pictures per class, or a list; .tsv or .jsonl of texts")
      ->type_name("DATA")
      ->required();
  options->model.add_to(*command);
  command
      ->add_option("--baseline", options->baseline,
                   "Compare with this model's dense network [the model's own]")
      ->type_name("DIR");
  command
      ->add_option("-r,--recipes", options->recipes,
                   "Recipes to compare with dense [the model's]; RECIPE@DIR for another model")
      ->type_name("RECIPE...");
  command
      ->add_option(
          "--sweep", options->sweep,
          "Run the recipes at these densities: FROM..TO or FROM..TO:STEP, or entropy=FROM..TO")
      ->type_name("RANGE");
  options->budget.add_to(*command);
  options->run.add_to(*command);
  options->truncate.add_to(*command);
  command
      ->add_option(
          "--buckets", options->buckets.longest,
          "Show texts of up to so many tokens apart, then the rest [quarters of the texts]")
      ->type_name("N...")
      ->check(count_up_to(1'000'000'000));
  command
      ->add_option("--max-length", options->samples.max_length,
                   "Tokens of a text that are read [as many as the model can]")
      ->type_name("N")
      ->check(count_up_to(1'000'000'000));
  command->add_flag("--skip-broken", options->run.skip_broken,
                    "Leave out pictures that cannot be read, and count them");
  command->add_flag("!--no-orientation", options->samples.decode.apply_orientation,
                    "Do not turn pictures as EXIF says; timm and torchvision do not either");
  command
      ->add_option("--rounds", options->rounds,
                   "Rounds in which speed is timed, at batches of 1 and 8; 0 leaves it out")
      ->type_name("N")
      ->check(count_from(0, 10'000))
      ->capture_default_str();
  command
      ->add_option("--predictions", options->predictions,
                   "Write every sample's label and predictions to this CSV file")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "Write the table to this CSV file")->type_name("FILE");
  command
      ->add_option("--plot", options->plot,
                   "Draw accuracy over MACs and images/s to this .png or .svg file")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer(
      "top-1: Wilson's interval. Difference to dense: paired, Agresti and Min. Speed: the network\n"
      "alone, after all samples are judged, on 16 of them; recipes take turns call by call. "
      "MACs:\n"
      "the speed-up that they allow; of MACs: the speed-up as a share of it.\n"
      "Example: tokensieve evaluate DATA --recipes 'evit(keep=0.7)' 'random(keep=0.7)' "
      "--sweep 0.9..0.2 --plot curve.svg\n"
      "         tokensieve evaluate DATA.tsv --truncate equal");
  command->callback([options] {
    options->model.texts = is_text_dataset(options->data);
    run_evaluate(*options);
  });
}

}  // namespace tokensieve::cli
