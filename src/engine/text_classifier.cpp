#include "tokensieve/engine/text_classifier.h"

#include <mutex>
#include <utility>

#include "classifier_state.h"
#include "tokensieve/core/error.h"

namespace tokensieve {

struct TextClassifier::Impl : ClassifierState {
  Impl(ModelFolder folder_, ClassifierOptions options_)
      : ClassifierState(std::move(folder_), options_, "[text_classifier]"), bert(make_bert()) {
    compile(recipe);  // a recipe that does not fit is told at once
  }

  Bert make_bert() const {
    const BertConfig& config = folder.text_config("[text_classifier]");
    const WeightSource& weights = checked_weights(config.num_classes, "[text_classifier]");
    return Bert(config, weights, folder.sieve.get());
  }

  Schedule compile(const Recipe& wanted) const {
    Schedule schedule = wanted.compile(bert.config().depth());
    bert.check(schedule);
    return schedule;
  }

  Bert bert;
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

Machine TextClassifier::machine() const { return impl_->machine(); }

BudgetChoice TextClassifier::within(const Budget& budget,
                                    const std::optional<Recipe>& recipe) const {
  return impl_->within(budget, recipe);
}

void TextClassifier::check(const Recipe& recipe) const { impl_->compile(recipe); }

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

Classification TextClassifier::classify(const TextSample& text,
                                        const std::optional<Recipe>& recipe) const {
  return std::move(classify(std::span(&text, 1), recipe).front());
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
  const bool has_guesses = impl_->bert.config().head == TextHead::classification;
  return impl_->run(impl_->bert, texts, impl_->compile(recipe.value_or(impl_->recipe)),
                    has_guesses);
}

}  // namespace tokensieve
