#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// What a folder's `tokenizer_config.json` says, defaults where it has nothing or is not there. The
/// names of special tokens are "" where it gives none.
struct TokenizerConfig {
  std::string unk, cls, sep, pad, mask;
  bool lowercase = true, chinese_chars = true, strip_accents = true;
  bool add_prefix_space = false, trim_offsets = true;
};
TokenizerConfig read_tokenizer_config(const std::filesystem::path& folder);

/// BERT's tokenizer of a `vocab.txt`, one token a line. Throws runtime_error naming the file for
/// one that is too large or lacks a special token.
std::unique_ptr<const Tokenizer> read_wordpiece_files(const std::filesystem::path& folder,
                                                      const TokenizerConfig& config);

/// RoBERTa's tokenizer of a `vocab.json` and a `merges.txt`.
std::unique_ptr<const Tokenizer> read_byte_pair_files(const std::filesystem::path& folder,
                                                      const TokenizerConfig& config);

}  // namespace tokensieve
