// Stands in for viz/text_strip.cpp in a build without OpenCV.

#include "text_strip.h"

namespace tokensieve::cli {

std::string text_strip(const std::string& text, const Tokens&, const RetentionTrace&, int) {
  return text + "\n";
}

}  // namespace tokensieve::cli
