#include "text_strip.h"

#include <optional>

#include "terminal.h"
#include "tokensieve/viz/text_strip.h"

namespace tokensieve::cli {

std::string text_strip(const TextSample& text, const Tokens& tokens, const RetentionTrace& trace,
                       int depth) {
  const ShownText shown = shown_text(text, tokens);
  return terminal_strip({shown.text, shown.tokens, trace, depth}, stdout_has_colour());
}

}  // namespace tokensieve::cli
