#pragma once

#include <string>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/io/tokenizer.h"

namespace tokensieve::cli {

/// The text with what became of its words, and a line that counts them, for standard output; the
/// text alone in a build without viz. `depth`: blocks of the network.
std::string text_strip(const std::string& text, const Tokens& tokens, const RetentionTrace& trace,
                       int depth);

}  // namespace tokensieve::cli
