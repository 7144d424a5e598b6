#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// One text, or a pair, as a text network reads it.
struct Tokens {
  std::vector<std::int32_t> ids;    ///< Special tokens included.
  std::vector<std::int32_t> types;  ///< 0 for the first text, 1 for the second; same length.
  /// Bytes [begin, end) of the text a token comes from; special tokens have begin == end == 0.
  struct Span {
    std::uint32_t begin = 0, end = 0;
    bool operator==(const Span&) const = default;
  };
  std::vector<Span> spans;
  /// Index of the word (of its text) a token is a piece of; -1 for special tokens.
  std::vector<std::int32_t> words;
};

/// Text to tokens and back, equal to Hugging Face's fast tokenizers: WordPiece (BERT and its kin)
/// and byte-level BPE (RoBERTa). Immutable and safe for many threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Tokens of `text`, at most `max_tokens` with the special ones: the end is cut off. Bytes that
  /// are not UTF-8 count as U+FFFD. Throws std::invalid_argument for a `max_tokens` too small for
  /// the special tokens and for a text of more than 2 GB.
  virtual Tokens encode(std::string_view text, int max_tokens) const = 0;
  /// Tokens of a pair, the longer text being cut first ("longest_first"). Throws as encode does.
  virtual Tokens encode_pair(std::string_view first, std::string_view second,
                             int max_tokens) const = 0;
  /// The vocabulary entry of an id ("##ing", "Ġthe"). Throws std::invalid_argument for an unknown
  /// id.
  virtual std::string token(std::int32_t id) const = 0;
  /// How many ids there are, from 0 on.
  virtual int vocab_size() const = 0;
  /// The id that fills rows up where they must be of one length.
  virtual std::int32_t pad_id() const = 0;
};

/// The tokenizer of a Hugging Face folder: `tokenizer.json`, or `vocab.txt` (with
/// `tokenizer_config.json` where it is there), or `vocab.json` and `merges.txt`. Throws
/// std::runtime_error naming the file and what is wrong with it.
std::unique_ptr<const Tokenizer> open_tokenizer(const std::filesystem::path& folder);

}  // namespace tokensieve
