#include "tokensieve/engine/classifier.h"

#include <algorithm>
#include <iterator>

#include "classifier_state.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {}  // namespace

struct Classifier::Impl : ClassifierState {
  Impl(ModelFolder folder_, ClassifierOptions options_)
      : ClassifierState(std::move(folder_), options_, "[classifier]"),
        vit(folder.image_config("[classifier]"), picture_weights(), folder.sieve.get()),
        trained_sites(predictor_sites(recipe.compile(folder.vit.depth()))) {
    compile(recipe);  // a recipe that does not fit is told at once
  }

  static std::vector<Site> predictor_sites(const Schedule& schedule) {
    return schedule.sites_by(LearnedScore::keep_probability);
  }

  // Predictors know nothing of other blocks than those that they were trained for, which the
  // folder's own recipe names.
  Schedule compile(const Recipe& wanted) const {
    Schedule schedule = wanted.compile(folder.vit.depth());
    vit.check(schedule);  // before the sites: it says what is missing
    const auto asked = predictor_sites(schedule);
    if (schedule.sites().empty()) return schedule;  // all stay: it asks none
    check_argument(trained_sites.empty() || asked.empty() || asked == trained_sites,
                   "[classifier] expected the sites that the predictors were trained for, ",
                   to_string(trained_sites), ", got ", to_string(asked));
    return schedule;
  }

  const WeightSource& picture_weights() const {
    check_argument(folder.vit.in_channels == 3,
                   "[classifier] pictures have 3 channels, the network ", folder.vit.in_channels);
    return checked_weights(folder.vit.num_classes, "[classifier]");
  }

  Vit vit;
  std::vector<Site> trained_sites;
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

Machine Classifier::machine() const { return impl_->machine(); }

BudgetChoice Classifier::within(const Budget& budget, const std::optional<Recipe>& recipe) const {
  return impl_->within(budget, recipe);
}

void Classifier::check(const Recipe& recipe) const { impl_->compile(recipe); }

std::vector<float> Classifier::preprocess(const Image& image) const {
  const Preprocessing& how = impl_->folder.preprocessing;
  std::vector<float> pixels(static_cast<size_t>(3) * how.height * how.width);
  tokensieve::preprocess(image, how, pixels);
  return pixels;
}

Classification Classifier::classify(const Image& image, const std::optional<Recipe>& recipe) const {
  return std::move(classify(std::span(&image, 1), recipe).front());
}

std::vector<Classification> Classifier::classify(std::span<const Image> images,
                                                 const std::optional<Recipe>& recipe) const {
  const Preprocessing& how = impl_->folder.preprocessing;
  std::vector<Classification> results;
  for (size_t first = 0; first < images.size(); first += impl_->batch()) {
    std::vector<std::vector<float>> pixels;  // of one batch: all could be more than memory holds
    std::vector<PixelsView> views;
    for (size_t i = first; i < std::min(first + impl_->batch(), images.size()); ++i) {
      pixels.push_back(preprocess(images[i]));
      views.push_back({pixels.back().data(), how.height, how.width});
    }
    std::ranges::move(classify(views, recipe), std::back_inserter(results));
  }
  return results;
}

std::vector<Classification> Classifier::classify(std::span<const PixelsView> images,
                                                 const std::optional<Recipe>& recipe) const {
  const bool has_guesses = impl_->folder.vit.num_classes > 0;  // otherwise logits are features
  return impl_->run(impl_->vit, images, impl_->compile(recipe.value_or(impl_->recipe)),
                    has_guesses);
}

}  // namespace tokensieve
