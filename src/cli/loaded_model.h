#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "tokensieve/engine/classifier.h"
#include "tokensieve/engine/text_classifier.h"
#include "tokensieve/io/tokenizer.h"

namespace tokensieve::cli {

/// What a network reads of one sample: the pixels of a picture (Classifier::preprocess), or the
/// tokens of a text.
using Input = std::variant<std::vector<float>, Tokens>;

/// A model of pictures or of texts, loaded: what the commands that take both ask of it.
class LoadedModel {
 public:
  /// Throws as the constructors of Classifier and TextClassifier do.
  explicit LoadedModel(ModelFolder folder, ClassifierOptions options = {});

  bool reads_texts() const { return std::holds_alternative<TextClassifier>(model_); }
  /// Throws std::runtime_error `[operation] ...` for a model of texts.
  const Classifier& pictures(std::string_view operation) const;
  /// Throws std::runtime_error `[operation] ...` for a model of pictures.
  const TextClassifier& texts(std::string_view operation) const;

  const ModelFolder& folder() const;
  const Recipe& default_recipe() const;
  int depth() const;
  /// Throws std::runtime_error `[operation] ...` unless each sample gets the label of a class, and
  /// returns how many there are.
  int num_classes(std::string_view operation) const;
  /// Throws std::invalid_argument for a recipe that the network cannot run.
  void check(const Recipe& recipe) const;
  Machine machine() const;
  BudgetChoice within(const Budget& budget, const std::optional<Recipe>& recipe = {}) const;
  /// Runs a batch, all of the kind that the model reads.
  std::vector<Classification> classify(std::span<const Input> batch, const Recipe& recipe) const;

 private:
  std::variant<Classifier, TextClassifier> model_;
};

}  // namespace tokensieve::cli
