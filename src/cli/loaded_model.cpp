#include "loaded_model.h"

#include <utility>

#include "runs.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

std::variant<Classifier, TextClassifier> load(ModelFolder folder, ClassifierOptions options) {
  if (folder.bert) return TextClassifier(std::move(folder), options);
  return Classifier(std::move(folder), options);
}

}  // namespace

LoadedModel::LoadedModel(ModelFolder folder, ClassifierOptions options)
    : model_(load(std::move(folder), options)) {}

const Classifier& LoadedModel::pictures(std::string_view operation) const {
  folder().image_config(cat("[", operation, "]"));
  return std::get<Classifier>(model_);
}

const TextClassifier& LoadedModel::texts(std::string_view operation) const {
  folder().text_config(cat("[", operation, "]"));
  return std::get<TextClassifier>(model_);
}

const ModelFolder& LoadedModel::folder() const {
  return std::visit([](const auto& model) -> const ModelFolder& { return model.folder(); }, model_);
}

const Recipe& LoadedModel::default_recipe() const {
  return std::visit([](const auto& model) -> const Recipe& { return model.default_recipe(); },
                    model_);
}

int LoadedModel::depth() const {
  return reads_texts() ? folder().bert->depth() : folder().vit.depth();
}

int LoadedModel::num_classes(std::string_view operation) const {
  const bool tokens = reads_texts() && folder().bert->has_token_head();
  check_runtime(!tokens, "[", operation,
                "] expected a model with a label for a text, got one with ",
                "labels for each token");
  const int classes = reads_texts() ? folder().bert->num_classes : folder().vit.num_classes;
  check_runtime(classes > 0, "[", operation, "] this model has no classifier");
  return classes;
}

void LoadedModel::check(const Recipe& recipe) const {
  std::visit([&](const auto& model) { model.check(recipe); }, model_);
}

Machine LoadedModel::machine() const {
  return std::visit([](const auto& model) { return model.machine(); }, model_);
}

BudgetChoice LoadedModel::within(const Budget& budget, const std::optional<Recipe>& recipe) const {
  return std::visit([&](const auto& model) { return model.within(budget, recipe); }, model_);
}

std::vector<Classification> LoadedModel::classify(std::span<const Input> batch,
                                                  const Recipe& recipe) const {
  if (reads_texts()) {
    std::vector<TokensView> views;
    for (const Input& input : batch) {
      const Tokens& tokens = std::get<Tokens>(input);
      views.push_back({tokens.ids, tokens.types});
    }
    return std::get<TextClassifier>(model_).classify(views, recipe);
  }
  std::vector<PixelsView> views;
  for (const Input& input : batch) {
    views.push_back(view_of(folder(), std::get<std::vector<float>>(input)));
  }
  return std::get<Classifier>(model_).classify(views, recipe);
}

}  // namespace tokensieve::cli
