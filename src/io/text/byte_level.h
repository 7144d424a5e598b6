#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/utf8.h"

namespace tokensieve {

/// The character that stands for a byte in the vocabularies of byte-level BPE, as UTF-8: itself if
/// it is printable, else one from U+0100 on ("Ġ" for a space).
std::string byte_symbol(unsigned char byte);

/// Where GPT-2's pattern
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// ends each of its matches, which cover the text: positions in `chars`, rising.
std::vector<std::size_t> split_gpt2(const std::vector<TextChar>& chars);

}  // namespace tokensieve
