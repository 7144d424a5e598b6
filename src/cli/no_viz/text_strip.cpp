// Stands in for viz/text_strip.cpp in a build without OpenCV.

#include "text_strip.h"

namespace tokensieve::cli {

std::string text_strip(const TextSample& text, const Tokens&, const RetentionTrace&, int) {
  return text.text + "\n" + (text.text_pair ? *text.text_pair + "\n" : "");
}

}  // namespace tokensieve::cli
