#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tokensieve/core/budget.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/engine/bert.h"
#include "tokensieve/engine/classifier.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/text_dataset.h"
#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// A folder with a text model, loaded and ready: texts in, labels and retention traces out; the
/// twin of Classifier. Calls are thread-safe; buffers are pooled and reused. Where every token has
/// logits, or the model has none (an embedding), there are no guesses.
class TextClassifier {
 public:
  /// Loads a model folder with its default recipe. Throws std::runtime_error for a folder that
  /// cannot be read, and as the constructor does.
  static TextClassifier load(const std::filesystem::path& folder, ClassifierOptions options = {});
  /// The same of a folder that is open already. Throws std::runtime_error for weights that do not
  /// fit, or an image model, and std::invalid_argument for options or a recipe that do not.
  TextClassifier(ModelFolder folder, ClassifierOptions options = {});
  ~TextClassifier();
  TextClassifier(TextClassifier&&) noexcept;
  TextClassifier& operator=(TextClassifier&&) noexcept;

  const Bert& bert() const;
  const ModelFolder& folder() const;
  /// The recipe a call without one uses.
  const Recipe& default_recipe() const;

  /// The machine as a call of this classifier uses it.
  Machine machine() const;
  /// The recipe at the density that fits `budget`, as Classifier::within() has it.
  BudgetChoice within(const Budget& budget, const std::optional<Recipe>& recipe = {}) const;

  /// Throws std::invalid_argument for a recipe that the network cannot run.
  void check(const Recipe& recipe) const;

  /// The folder's tokenizer, opened by the first call. Throws std::runtime_error when the folder
  /// has none, or one with entries that the network does not have.
  std::shared_ptr<const Tokenizer> tokenizer() const;
  /// A text, or a pair, as the network reads it, cut off where it is longer than that. Throws as
  /// tokenizer() and Tokenizer::encode do.
  Tokens tokenize(const TextSample& text) const;

  /// Classifies a text under `recipe` (default_recipe() when absent). Throws as tokenize(), check()
  /// and Bert::run do.
  Classification classify(const TextSample& text, const std::optional<Recipe>& recipe = {}) const;
  /// The same for texts of any lengths, as many as there are; each gets what it would get alone.
  std::vector<Classification> classify(std::span<const TextSample> texts,
                                       const std::optional<Recipe>& recipe = {}) const;
  /// The same for texts that are tokenized already, which needs no tokenizer.
  std::vector<Classification> classify(std::span<const TokensView> texts,
                                       const std::optional<Recipe>& recipe = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokensieve
