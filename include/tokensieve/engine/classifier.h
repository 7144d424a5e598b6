#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tokensieve/core/budget.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/engine/vit.h"
#include "tokensieve/io/image.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve {

/// One guess.
struct Guess {
  int label = 0;             ///< Class index.
  std::string name;          ///< Its label, or "class 7" when the model has none.
  float probability = 0.0f;  ///< Softmax over the logits.
};

/// What a Classifier or TextClassifier says of one input.
struct Classification {
  std::vector<Guess> top;  ///< Best first; none of a network without a classifier.
  RunOutput output;
};

/// How a Classifier or TextClassifier works.
struct ClassifierOptions {
  int threads = 0;  ///< Threads a call uses; 0: one a core.
  int top = 5;      ///< Guesses returned for an input, clamped to the number of classes.
  /// Inputs that are computed at once. More are cut into such batches, which changes no answer;
  /// buffers grow with it, and stay for later calls.
  int batch = 32;
};

/// A model folder, loaded and ready: images in, labels and retention traces out. Calls are
/// thread-safe; buffers are pooled and reused.
class Classifier {
 public:
  /// Loads a model folder with its default recipe. Throws std::runtime_error for a folder that
  /// cannot be read, and as the constructor does.
  static Classifier load(const std::filesystem::path& folder, ClassifierOptions options = {});
  /// The same of a folder that is open already. Throws std::runtime_error for weights that do not
  /// fit, or a text model, and std::invalid_argument for options or a recipe that do not.
  Classifier(ModelFolder folder, ClassifierOptions options = {});
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  const Vit& vit() const;
  const ModelFolder& folder() const;
  /// The recipe a call without one uses.
  const Recipe& default_recipe() const;

  /// The machine as a call of this classifier uses it.
  Machine machine() const;
  /// The recipe (default_recipe() when absent or, where that is dense, the only one calibrated) at
  /// the density that fits `budget`, by the calibrations of the folder: choose_density(). Throws
  /// std::invalid_argument with the cure.
  BudgetChoice within(const Budget& budget, const std::optional<Recipe>& recipe = {}) const;

  /// Throws std::invalid_argument for a recipe that the network cannot run, or whose predictors it
  /// would ask at other sites than they were trained for (those of the folder's recipe).
  void check(const Recipe& recipe) const;

  /// Resizes, crops and normalises an image as the model was trained with: `[channels, H, W]`.
  /// Throws std::invalid_argument for an empty one, std::runtime_error for one too narrow to scale.
  std::vector<float> preprocess(const Image& image) const;

  /// Classifies an image under `recipe` (default_recipe() when absent). Throws as preprocess(),
  /// check() and Vit::run do.
  Classification classify(const Image& image, const std::optional<Recipe>& recipe = {}) const;
  /// The same for images, as many as there are; each gets what it would get alone.
  std::vector<Classification> classify(std::span<const Image> images,
                                       const std::optional<Recipe>& recipe = {}) const;
  /// The same for pixels that are preprocessed already.
  std::vector<Classification> classify(std::span<const PixelsView> images,
                                       const std::optional<Recipe>& recipe = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokensieve
