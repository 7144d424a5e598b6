#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokensieve {

/// Text from a file, or a file's name, made fit for a message: control bytes become `\xNN`, those
/// that UTF-8 writes as two bytes (U+0080 to U+009F) too, so that a file cannot drive the reader's
/// terminal, and what is past `max_bytes` becomes "...".
std::string printable(std::string_view text, std::size_t max_bytes = 120);

}  // namespace tokensieve
