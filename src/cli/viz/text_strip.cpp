#include "text_strip.h"

#include <optional>

#include "terminal.h"
#include "tokensieve/viz/text_strip.h"

namespace tokensieve::cli {

std::string text_strip(const TextSample& text, const Tokens& tokens, const RetentionTrace& trace,
                       int depth) {
  const ShownText shown = shown_text(text, tokens);
  TextView view{shown.text, shown.tokens, trace, depth, {}};
  if (trace.exit_layer >= 0) view.exit = trace.exit_layer;
  return terminal_strip(view, stdout_has_colour());
}

}  // namespace tokensieve::cli
