#pragma once

#include <vector>

#include "text/utf8.h"

namespace tokensieve {

/// What BERT does to a text before it is split, as Hugging Face's BertNormalizer.
struct BertNormalizer {
  bool clean_text = true;     ///< Control characters go, white space becomes a space.
  bool chinese_chars = true;  ///< Spaces around the characters of is_chinese.
  bool strip_accents = true;  ///< Decomposes, and leaves out nonspacing marks.
  bool lowercase = true;

  /// The characters of the normalised text, each with the bytes of the original it is aligned with.
  std::vector<TextChar> operator()(std::vector<TextChar> chars) const;
};

/// Canonical decomposition with marks in canonical order. Bytes follow Hugging Face's alignments:
/// of marks that changed places, the first has the bytes of what stood first.
std::vector<TextChar> decompose_all(const std::vector<TextChar>& chars);

}  // namespace tokensieve
