#pragma once

#include <cstdint>
#include <string>

namespace tokensieve {

/// What Hugging Face's tokenizers take a character for; flags. No one version of Unicode gives
/// these (scripts/make_unicode_data.py).
enum CharClass : std::uint8_t {
  kRemovedChar = 1,      ///< Left out when a text is cleaned: control, format, private, U+FFFD.
  kMarkChar = 2,         ///< A nonspacing mark: an accent.
  kPunctuationChar = 4,  ///< Punctuation, and ASCII's symbols.
  kSpaceChar = 8,        ///< White space.
  kLetterChar = 16,      ///< `\p{L}`
  kNumberChar = 32,      ///< `\p{N}`
  kUpperChar = 64,       ///< Has a lower case.
  kComposedChar = 128,   ///< Has a canonical decomposition or a combining class.
};

/// The flags of a character up to U+10FFFF.
std::uint8_t char_classes(char32_t value);

/// The characters of CJK that BERT splits from what is around them.
bool is_chinese(char32_t value);

/// Lower case, one character or (of U+0130 alone) two.
std::u32string lower_case(char32_t value);

/// The canonical combining class, 0 of those that marks follow.
int combining_class(char32_t value);

/// The whole canonical decomposition, the character itself if it has none.
std::u32string decompose(char32_t value);

}  // namespace tokensieve
