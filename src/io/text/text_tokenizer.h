#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/added_tokens.h"
#include "text/frame.h"
#include "text/vocabulary.h"
#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// The tokens of a text so far, and how many words they are of. Types come with the frame.
struct TextTokens {
  Tokens tokens;
  std::int32_t words = 0;

  void add(std::int32_t id, Tokens::Span span) {
    tokens.ids.push_back(id);
    tokens.spans.push_back(span);
    tokens.words.push_back(words);
  }
};

/// What all tokenizers share: added tokens, truncation and the frame. A tokenizer of its kind says
/// what becomes of the text between added tokens.
class TextTokenizer : public Tokenizer {
 public:
  /// What a tokenizer's files give, whatever its kind.
  struct Parts {
    Vocabulary vocabulary;
    AddedTokens added;
    Frame frame;
    std::int32_t pad;
  };

  explicit TextTokenizer(Parts parts);

  Tokens encode(std::string_view text, int max_tokens) const final;
  Tokens encode_pair(std::string_view first, std::string_view second, int max_tokens) const final;
  std::string token(std::int32_t id) const final;
  int vocab_size() const final { return parts_.vocabulary.size(); }
  std::int32_t pad_id() const final { return parts_.pad; }

 protected:
  const Vocabulary& vocabulary() const { return parts_.vocabulary; }
  /// Adds the tokens of bytes [begin, end); may stop once there are `enough` in all.
  virtual void add_text(std::string_view text, std::size_t begin, std::size_t end,
                        std::size_t enough, TextTokens& out) const = 0;
  /// The span of an added token found at a part of the text, `first` in it or not.
  virtual Tokens::Span added_span(std::string_view text, const TextPart& part, bool first) const;

 private:
  Tokens tokens_of(std::string_view text, std::size_t enough) const;

  Parts parts_;
};

}  // namespace tokensieve
