#pragma once

#include <span>

namespace tokensieve {

// What scripts/make_unicode_data.py found, sorted by character. Bounds are inclusive.

struct CharRange {
  char32_t first, last;
};
extern const std::span<const CharRange> kRemoved;      ///< What cleaning a text leaves out.
extern const std::span<const CharRange> kMark;         ///< Nonspacing marks: accents.
extern const std::span<const CharRange> kPunctuation;  ///< BERT's: ASCII symbols, too.
extern const std::span<const CharRange> kSpace;        ///< White space.
extern const std::span<const CharRange> kLetter;       ///< `\p{L}`
extern const std::span<const CharRange> kNumber;       ///< `\p{N}`

/// Every `step`-th character from `first` to `last`; its lower case is `added` away.
struct LowerRange {
  char32_t first, last, step;
  int added;
};
extern const std::span<const LowerRange> kLower;

/// Characters with a canonical combining class other than 0.
struct CombiningRange {
  char32_t first, last;
  unsigned char combining_class;
};
extern const std::span<const CombiningRange> kCombining;

/// A canonical decomposition, one step of it; `second` is 0 for those into one character.
struct Decomposition {
  char32_t from, first, second;
};
extern const std::span<const Decomposition> kDecompositions;

}  // namespace tokensieve
