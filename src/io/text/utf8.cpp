#include "text/utf8.h"

namespace tokensieve {
namespace {

struct Lead {
  std::uint32_t bytes;        ///< Of a whole character; 0 for a byte that begins none.
  unsigned char least, most;  ///< Of the second byte: no overlong forms, no surrogates.
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

TextChar decode_utf8(std::string_view text, std::size_t at) {
  const auto begin = static_cast<std::uint32_t>(at);
  const auto first = static_cast<unsigned char>(text[at]);
  const Lead lead = lead_of(first);
  if (lead.bytes == 1) return {first, begin, begin + 1};
  char32_t value = first & (0x7Fu >> lead.bytes);
  for (std::uint32_t k = 1; k < lead.bytes; ++k) {
    const auto byte = at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0;
    const bool good = k == 1 ? byte >= lead.least && byte <= lead.most : (byte & 0xC0) == 0x80;
    if (!good) return {kReplacement, begin, begin + k};
    value = value << 6 | (byte & 0x3F);
  }
  if (lead.bytes == 0) return {kReplacement, begin, begin + 1};
  return {value, begin, begin + lead.bytes};
}

std::vector<TextChar> decode_utf8(std::string_view text, std::size_t begin, std::size_t end) {
  std::vector<TextChar> chars;
  chars.reserve(end - begin);
  text = text.substr(0, end);
  for (std::size_t at = begin; at < end; at = chars.back().end) {
    chars.push_back(decode_utf8(text, at));
  }
  return chars;
}

void append_utf8(char32_t value, std::string& out) {
  if (value < 0x80) {
    out += static_cast<char>(value);
    return;
  }
  const int more = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xFFu << (7 - more) & 0xFF) | value >> 6 * more);
  for (int k = more - 1; k >= 0; --k) out += static_cast<char>(0x80 | (value >> 6 * k & 0x3F));
}

}  // namespace tokensieve
