#pragma once

#include <string>
#include <string_view>

namespace tokensieve {

/// Text from a file made fit for an error message: control bytes become `\xNN`, so that a file
/// cannot drive the reader's terminal, and what is past `max_bytes` becomes "...".
std::string printable(std::string_view text, std::size_t max_bytes = 120);

}  // namespace tokensieve
