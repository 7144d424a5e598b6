#include "text/byte_level.h"

#include "text/unicode.h"

namespace tokensieve {
namespace {

bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

/// Of the classes that a match is a run of, the one a character is in; 0 is the class of the rest.
int run_class(const TextChar& c) {
  return char_classes(c.value) & (kSpaceChar | kLetterChar | kNumberChar);
}

/// The length of the contraction at `at`, 0 if there is none.
std::size_t contraction(const std::vector<TextChar>& chars, std::size_t at) {
  if (chars[at].value != U'\'' || at + 1 == chars.size()) return 0;
  const char32_t a = chars[at + 1].value;
  if (a == U's' || a == U't' || a == U'm' || a == U'd') return 2;
  const char32_t b = at + 2 < chars.size() ? chars[at + 2].value : 0;
  const bool found =
      (a == U'r' && b == U'e') || (a == U'v' && b == U'e') || (a == U'l' && b == U'l');
  return found ? 3 : 0;
}

std::size_t end_of_run(const std::vector<TextChar>& chars, std::size_t at) {
  const int kind = run_class(chars[at]);
  while (at < chars.size() && run_class(chars[at]) == kind) ++at;
  return at;
}

std::size_t end_of_match(const std::vector<TextChar>& chars, std::size_t at) {
  if (const std::size_t length = contraction(chars, at)) return at + length;
  const bool space_before =
      chars[at].value == U' ' && at + 1 < chars.size() && run_class(chars[at + 1]) != kSpaceChar;
  const std::size_t end = end_of_run(chars, at + space_before);
  if (space_before || run_class(chars[at]) != kSpaceChar) return end;
  // White space leaves its last character to the word after it.
  return end == chars.size() || end == at + 1 ? end : end - 1;
}

}  // namespace

std::string byte_symbol(unsigned char byte) {
  char32_t value = byte;
  if (!is_printable(byte)) {
    value = 0x100;
    for (int other = 0; other < byte; ++other) value += !is_printable(other);
  }
  std::string symbol;
  append_utf8(value, symbol);
  return symbol;
}

std::vector<std::size_t> split_gpt2(const std::vector<TextChar>& chars) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < chars.size(); at = ends.back()) {
    ends.push_back(end_of_match(chars, at));
  }
  return ends;
}

}  // namespace tokensieve
