#include "tokensieve/engine/text_classifier.h"

#include <mutex>
#include <utility>

#include "guesses.h"
#include "threads.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/machine.h"
#include "workspace_pool.h"

namespace tokensieve {

struct TextClassifier::Impl {
  Impl(ModelFolder folder_, ClassifierOptions options_)
      : folder(std::move(folder_)),
        options(options_),
        recipe(Recipe::parse(folder.recipe)),
        bert(make_bert(folder)) {
    check_argument(options.top > 0, "[text_classifier] top must be 1 or more, got ", options.top);
    check_threads("[text_classifier]", options.threads);
    // A recipe that does not fit is told at once.
    bert.check(recipe.compile(bert.config().depth()));
    for (const Calibration& calibration : folder.calibrations) calibration.validate();
  }

  // What open_model_folder() sees to for a folder, a folder made in code may lack.
  static Bert make_bert(const ModelFolder& folder) {
    const BertConfig& config = folder.text_config("[text_classifier]");
    check_argument(folder.weights != nullptr, "[text_classifier] the model has no weights");
    check_argument(folder.labels.empty() || std::ssize(folder.labels) == config.num_classes,
                   "[text_classifier] expected ", config.num_classes, " labels, one a class, got ",
                   folder.labels.size());
    return Bert(config, *folder.weights, folder.sieve.get());
  }

  ModelFolder folder;
  ClassifierOptions options;
  Recipe recipe;
  Bert bert;
  WorkspacePool workspaces;
  std::mutex opening;
  std::shared_ptr<const Tokenizer> tokenizer;
};

TextClassifier TextClassifier::load(const std::filesystem::path& folder,
                                    ClassifierOptions options) {
  return TextClassifier(open_model_folder(folder), options);
}

TextClassifier::TextClassifier(ModelFolder folder, ClassifierOptions options)
    : impl_(std::make_unique<Impl>(std::move(folder), options)) {}
TextClassifier::~TextClassifier() = default;
TextClassifier::TextClassifier(TextClassifier&&) noexcept = default;
TextClassifier& TextClassifier::operator=(TextClassifier&&) noexcept = default;

const Bert& TextClassifier::bert() const { return impl_->bert; }
const ModelFolder& TextClassifier::folder() const { return impl_->folder; }
const Recipe& TextClassifier::default_recipe() const { return impl_->recipe; }

Machine TextClassifier::machine() const { return this_machine(impl_->options.threads); }

BudgetChoice TextClassifier::within(const Budget& budget,
                                    const std::optional<Recipe>& recipe) const {
  std::optional<Recipe> wanted = recipe;
  if (!wanted && !impl_->recipe.is_dense()) wanted = impl_->recipe;
  return choose_density(find_calibration(impl_->folder.calibrations, wanted), budget, machine());
}

std::shared_ptr<const Tokenizer> TextClassifier::tokenizer() const {
  const std::lock_guard lock(impl_->opening);
  if (impl_->tokenizer) return impl_->tokenizer;
  const std::filesystem::path& folder = impl_->folder.tokenizer_folder;
  check_runtime(
      !folder.empty(),
      "[tokenizer] expected a tokenizer in the model's folder, tokenizer.json, vocab.txt, "
      "or vocab.json and merges.txt, got none; copy those of the model it was made from");
  std::shared_ptr<const Tokenizer> opened = open_tokenizer(folder);
  const int entries = impl_->bert.config().vocab_size;
  check_runtime(opened->vocab_size() <= entries, "[tokenizer] expected a vocabulary of at most ",
                entries, " entries, as the network has, got ", opened->vocab_size(), " in ",
                folder.string());
  return impl_->tokenizer = std::move(opened);
}

Tokens TextClassifier::tokenize(const TextSample& text) const {
  return encode(*tokenizer(), text, impl_->bert.config().max_positions);
}

std::vector<Classification> TextClassifier::classify(std::span<const TextSample> texts,
                                                     const std::optional<Recipe>& recipe) const {
  std::vector<Tokens> tokens;
  for (const TextSample& text : texts) tokens.push_back(tokenize(text));
  std::vector<TokensView> views;
  for (const Tokens& one : tokens) views.push_back({one.ids, one.types});
  return classify(views, recipe);
}

std::vector<Classification> TextClassifier::classify(std::span<const TokensView> texts,
                                                     const std::optional<Recipe>& recipe) const {
  const BertConfig& config = impl_->bert.config();
  const Schedule schedule = recipe.value_or(impl_->recipe).compile(config.depth());
  auto workspace = impl_->workspaces.borrow();
  auto outputs = impl_->bert.run(texts, schedule, *workspace, impl_->options.threads);
  impl_->workspaces.give_back(std::move(workspace));
  std::vector<Classification> results;
  for (RunOutput& output : outputs) {
    std::vector<Guess> top;
    if (config.head == TextHead::classification) {
      top = best_guesses(output.logits, impl_->folder.labels, impl_->options.top);
    }
    results.push_back({std::move(top), std::move(output)});
  }
  return results;
}

}  // namespace tokensieve
