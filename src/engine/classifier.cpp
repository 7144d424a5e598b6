#include "tokensieve/engine/classifier.h"

#include "guesses.h"
#include "threads.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/machine.h"
#include "workspace_pool.h"

namespace tokensieve {
namespace {

std::vector<Site> predictor_sites(const Schedule& schedule) {
  std::vector<Site> sites;
  for (const ScheduledSite& site : schedule.all_sites()) {
    if (site.reducer->learned_score() == LearnedScore::keep_probability) sites.push_back(site.site);
  }
  return sites;
}

std::string joined(const std::vector<Site>& sites) {
  std::string text;
  for (const Site& site : sites) text += (text.empty() ? "" : " ") + to_string(site);
  return text;
}

}  // namespace

struct Classifier::Impl {
  Impl(ModelFolder folder_, ClassifierOptions options_)
      : folder(std::move(folder_)),
        options(options_),
        recipe(Recipe::parse(folder.recipe)),
        vit(folder.image_config("[classifier]"), checked_weights(), folder.sieve.get()) {
    check_argument(options.top > 0, "[classifier] top must be 1 or more, got ", options.top);
    check_threads("[classifier]", options.threads);
    compile(recipe);  // a recipe that does not fit is told at once
    for (const Calibration& calibration : folder.calibrations) calibration.validate();
  }

  // Predictors know nothing of other blocks than those that they were trained for, which the
  // folder's own recipe names.
  Schedule compile(const Recipe& wanted) const {
    Schedule schedule = wanted.compile(folder.vit.depth());
    vit.check(schedule);  // ahead of the sites: it says what is missing
    const auto asked = predictor_sites(schedule);
    if (schedule.sites().empty()) return schedule;  // all stay: it asks none
    check_argument(trained_sites.empty() || asked.empty() || asked == trained_sites,
                   "[classifier] expected the sites that the predictors were trained for, ",
                   joined(trained_sites), ", got ", joined(asked));
    return schedule;
  }

  // What open_model_folder() sees to for a folder, a folder made in code may lack.
  const WeightSource& checked_weights() const {
    check_argument(folder.weights != nullptr, "[classifier] the model has no weights");
    check_argument(folder.vit.in_channels == 3,
                   "[classifier] pictures have 3 channels, the network ", folder.vit.in_channels);
    check_argument(
        folder.labels.empty() || static_cast<int>(folder.labels.size()) == folder.vit.num_classes,
        "[classifier] expected ", folder.vit.num_classes, " labels, one a class, got ",
        folder.labels.size());
    return *folder.weights;
  }

  ModelFolder folder;
  ClassifierOptions options;
  Recipe recipe;
  Vit vit;
  std::vector<Site> trained_sites = predictor_sites(recipe.compile(folder.vit.depth()));
  WorkspacePool workspaces;
};

Classifier Classifier::load(const std::filesystem::path& folder, ClassifierOptions options) {
  return Classifier(open_model_folder(folder), options);
}

Classifier::Classifier(ModelFolder folder, ClassifierOptions options)
    : impl_(std::make_unique<Impl>(std::move(folder), options)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const Vit& Classifier::vit() const { return impl_->vit; }
const ModelFolder& Classifier::folder() const { return impl_->folder; }
const Recipe& Classifier::default_recipe() const { return impl_->recipe; }

Machine Classifier::machine() const { return this_machine(impl_->options.threads); }

BudgetChoice Classifier::within(const Budget& budget, const std::optional<Recipe>& recipe) const {
  std::optional<Recipe> wanted = recipe;
  if (!wanted && !impl_->recipe.is_dense()) wanted = impl_->recipe;
  return choose_density(find_calibration(impl_->folder.calibrations, wanted), budget, machine());
}

void Classifier::check(const Recipe& recipe) const { impl_->compile(recipe); }

std::vector<float> Classifier::preprocess(const Image& image) const {
  const Preprocessing& how = impl_->folder.preprocessing;
  std::vector<float> pixels(static_cast<size_t>(3) * how.height * how.width);
  tokensieve::preprocess(image, how, pixels);
  return pixels;
}

std::vector<Classification> Classifier::classify(std::span<const Image> images,
                                                 const std::optional<Recipe>& recipe) const {
  const Preprocessing& how = impl_->folder.preprocessing;
  std::vector<std::vector<float>> pixels;
  std::vector<PixelsView> views;
  for (const Image& image : images) {
    pixels.push_back(preprocess(image));
    views.push_back({pixels.back().data(), how.height, how.width});
  }
  return classify(views, recipe);
}

std::vector<Classification> Classifier::classify(std::span<const PixelsView> images,
                                                 const std::optional<Recipe>& recipe) const {
  const Schedule schedule = impl_->compile(recipe.value_or(impl_->recipe));
  auto workspace = impl_->workspaces.borrow();
  auto outputs = impl_->vit.run(images, schedule, *workspace, impl_->options.threads);
  impl_->workspaces.give_back(std::move(workspace));
  std::vector<Classification> results;
  for (VitOutput& output : outputs) {
    std::vector<Guess> top;
    if (impl_->folder.vit.num_classes > 0) {  // otherwise logits are features
      top = best_guesses(output.logits, impl_->folder.labels, impl_->options.top);
    }
    results.push_back({std::move(top), std::move(output)});
  }
  return results;
}

}  // namespace tokensieve
