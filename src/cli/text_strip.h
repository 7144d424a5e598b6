#pragma once

#include <string>

#include "tokensieve/core/retention_trace.h"
#include "tokensieve/io/text_dataset.h"

namespace tokensieve::cli {

/// The text, or pair, with what became of its words, and a line that counts them, for standard
/// output; the text alone in a build without viz. `depth`: blocks of the network.
std::string text_strip(const TextSample& text, const Tokens& tokens, const RetentionTrace& trace,
                       int depth);

}  // namespace tokensieve::cli
