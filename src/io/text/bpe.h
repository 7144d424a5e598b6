#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/merges.h"
#include "text/text_tokenizer.h"
#include "text/utf8.h"

namespace tokensieve {

struct BytePairOptions {
  bool add_prefix_space = false;  ///< A text that begins without a space gets one.
  bool trim_spans = true;         ///< Spans leave out spaces at both ends of a token...
  bool trim_keeps_first = true;   ///< ...but not the first token's, where that is a single one.
};

/// RoBERTa's and GPT-2's tokenizer: splits by GPT-2's pattern, then merges the bytes of each part.
class BytePairTokenizer final : public TextTokenizer {
 public:
  /// Throws runtime_error if the vocabulary lacks the symbol of a byte.
  BytePairTokenizer(Parts parts, Merges merges, BytePairOptions options);

 protected:
  void add_text(std::string_view text, std::size_t begin, std::size_t end, std::size_t enough,
                TextTokens& out) const override;
  Tokens::Span added_span(std::string_view text, const TextPart& part, bool first) const override;

 private:
  /// Characters [first, last) of a part of the text without the spaces at their ends.
  Tokens::Span trimmed(const std::vector<TextChar>& chars, std::size_t first, std::size_t last,
                       std::size_t leading, std::size_t trailing, bool first_token) const;

  Merges merges_;
  BytePairOptions options_;
  std::int32_t symbols_[256];  ///< The token of each byte.
};

}  // namespace tokensieve
