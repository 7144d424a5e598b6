#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/bert_normalizer.h"
#include "text/text_tokenizer.h"
#include "text/trie.h"

namespace tokensieve {

struct WordPieceOptions {
  BertNormalizer normalizer;
  std::string unk = "[UNK]";    ///< What a word becomes that no pieces spell.
  std::string prefix = "##";    ///< Of pieces that do not begin a word.
  int max_word_chars = 100;     ///< Longer words are unknown.
  bool ascii_fast_path = true;  ///< Off, every word takes the path of the others: for tests.
};

/// BERT's tokenizer: normalises, splits at white space and around punctuation, then spells each
/// word by the longest pieces, from the left.
class WordPieceTokenizer final : public TextTokenizer {
 public:
  /// Throws runtime_error if the vocabulary has no unknown token.
  WordPieceTokenizer(Parts parts, WordPieceOptions options);

 protected:
  void add_text(std::string_view text, std::size_t begin, std::size_t end, std::size_t enough,
                TextTokens& out) const override;

 private:
  struct Piece {
    std::int32_t id;
    std::size_t begin, end;
  };
  enum class Ascii : unsigned char { letter, punctuation, space, hard };

  /// The pieces of a word of so many characters, its bytes read as fold[byte]: the unknown token if
  /// nothing spells it.
  void spell(std::string_view word, std::size_t chars, const unsigned char* fold,
             std::vector<Piece>& pieces) const;
  void add_ascii(std::string_view text, std::size_t begin, std::size_t end, TextTokens& out,
                 std::vector<Piece>& pieces) const;
  void add_any(std::string_view text, std::size_t begin, std::size_t end, TextTokens& out,
               std::vector<Piece>& pieces) const;

  WordPieceOptions options_;
  std::int32_t unk_;
  Trie trie_;
  std::uint32_t inside_;      ///< The node of the prefix.
  Ascii ascii_[256];          ///< What a byte is; `hard` ones need add_any.
  unsigned char lower_[256];  ///< Lower case of ASCII, if that is asked for.
  unsigned char as_it_is_[256];
};

}  // namespace tokensieve
