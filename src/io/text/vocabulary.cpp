#include "text/vocabulary.h"

#include <utility>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::string file)
    : tokens_(std::move(tokens)), file_(std::move(file)) {
  check_runtime(!tokens_.empty() && tokens_.size() <= kMaxTokens, "[tokenizer] ", file_,
                ": expected 1 to ", kMaxTokens, " tokens, got ", tokens_.size());
  std::size_t bytes = 0;
  ids_.reserve(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    bytes += tokens_[id].size();
    ids_[tokens_[id]] = static_cast<std::int32_t>(id);
  }
  check_runtime(bytes <= kMaxVocabularyBytes, "[tokenizer] ", file_, ": expected at most ",
                kMaxVocabularyBytes, " bytes of tokens, got ", bytes);
}

std::int32_t Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

std::int32_t Vocabulary::at(std::string_view token, std::string_view for_) const {
  const std::int32_t id = find(token);
  check_runtime(id >= 0, "[tokenizer] ", file_, ": expected '", printable(token),
                "' in the vocabulary, ", for_, "; is it another model's?");
  return id;
}

}  // namespace tokensieve
