#pragma once

namespace tokensieve {

/// The files of a folder that open_tokenizer() and transformers read a tokenizer from.
inline constexpr const char* kTokenizerFiles[] = {
    "tokenizer.json", "tokenizer_config.json",   "vocab.txt",         "vocab.json",
    "merges.txt",     "special_tokens_map.json", "added_tokens.json",
};

}  // namespace tokensieve
