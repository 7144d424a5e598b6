#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

inline constexpr char32_t kReplacement = 0xFFFD;

/// A character and bytes [begin, end) of the text it stands for.
struct TextChar {
  char32_t value;
  std::uint32_t begin, end;
};

/// The character of `text` at byte `at`, which is in it. A byte that begins none is U+FFFD,
/// together with those after it that would have gone on (Unicode 3.9, maximal subparts): what
/// Python's `decode(errors="replace")` gives.
TextChar decode_utf8(std::string_view text, std::size_t at);

/// The characters of bytes [begin, end), which neither cut a character in two.
std::vector<TextChar> decode_utf8(std::string_view text, std::size_t begin, std::size_t end);

/// Adds a character as UTF-8.
void append_utf8(char32_t value, std::string& out);

}  // namespace tokensieve
