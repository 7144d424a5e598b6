#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/viz/text_strip.h"

namespace tokensieve::drawing {

/// How many words left at a block; what stayed comes last, with block -1.
struct WordStep {
  int block = -1;
  std::int64_t words = 0;
  Color color;       ///< From the colour scale; the earliest block has the darkest.
  double ink = 1.0;  ///< How much of its ink a word keeps: 1 for those that stayed.

  std::string text() const;  ///< "block 3: 58 words", "stayed: 68 words".
};

/// The blocks of the trace that have a site, ascending, then what stayed.
std::vector<WordStep> word_steps(const TextView& view, const std::vector<WordFate>& words,
                                 Colormap map);

/// The step of a word.
const WordStep& step_of(const std::vector<WordStep>& steps, const WordFate& word);

/// "answered after block 3 of 12", or "".
std::string exit_text(const TextView& view);

/// A stretch of the text: a word, or what is between words (`word` is null).
struct Stretch {
  std::string_view text;
  const WordFate* word = nullptr;
  bool unread = false;  ///< After the last token: the text was cut off there.
};

/// The whole text in order.
std::vector<Stretch> stretches(const TextView& view, const std::vector<WordFate>& words);

}  // namespace tokensieve::drawing
