#include "tokensieve/core/printable.h"

#include <algorithm>

namespace tokensieve {
namespace {

void append_hex(unsigned char byte, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::size_t end = std::min(text.size(), max_bytes);
  const auto inside_character = [&] {
    return end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80;
  };
  for (int i = 0; i < 3 && end > 0 && inside_character(); ++i) --end;
  const std::string_view shown = text.substr(0, end);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    const auto next = i + 1 < shown.size() ? static_cast<unsigned char>(shown[i + 1]) : 0;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      append_hex(byte, out);
      append_hex(next, out);
      ++i;
    } else if (byte < 0x20 || byte == 0x7F) {
      append_hex(byte, out);
    } else {
      out += shown[i];
    }
  }
  if (text.size() > max_bytes) out += "...";
  return out;
}

}  // namespace tokensieve
