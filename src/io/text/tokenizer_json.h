#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tokensieve/io/tokenizer.h"

namespace tokensieve {

/// The tokenizer of a `tokenizer.json`: WordPiece as BERT's files have it, or byte-level BPE as
/// RoBERTa's. `pad` is the token that fills rows up; "" for the usual one. Sections that only pad,
/// truncate or decode are ignored. Throws runtime_error naming the file and the key of what is
/// wrong or would change the tokens in a way that is not known here.
std::unique_ptr<const Tokenizer> read_tokenizer_json(const std::filesystem::path& path,
                                                     std::string pad);

}  // namespace tokensieve
