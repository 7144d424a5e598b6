#include "html_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace tokensieve::drawing {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length in bytes of the UTF-8 code point at the beginning of `text`, 0 when it is not one.
size_t code_point_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what is past U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

/// Copies `text`, with `replace(character)` deciding what stands for an ASCII character ("" keeps
/// it).
template <typename Replace>
std::string escape(std::string_view text, Replace replace) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = code_point_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      out += kReplacement;
    } else if (const std::string_view stand_in =
                   length == 1 ? replace(text[0]) : std::string_view();
               !stand_in.empty()) {
      out += stand_in;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  return escape(text, [](char c) -> std::string_view {
    switch (c) {
      case '&':
        return "&amp;";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '"':
        return "&quot;";
      case '\'':
        return "&#39;";
      default:
        return "";
    }
  });
}

std::string json_string(std::string_view text) {
  return '"' +
         escape(text,
                [](char c) -> std::string_view {
                  switch (c) {
                    case '"':
                      return "\\\"";
                    case '\\':
                      return "\\\\";
                    case '<':
                      return "\\u003c";
                    case '>':
                      return "\\u003e";
                    case '&':
                      return "\\u0026";
                    default:
                      return "";
                  }
                }) +
         '"';
}

std::string json_number(float value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  return {text, result.ptr};
}

std::string png_data_uri(std::span<const std::byte> png) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = "data:image/png;base64,";
  uri.reserve(uri.size() + (png.size() + 2) / 3 * 4);
  for (size_t i = 0; i < png.size(); i += 3) {
    const size_t have = std::min<size_t>(3, png.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < have ? std::to_integer<uint32_t>(png[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      uri += k <= have ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return uri;
}

}  // namespace tokensieve::drawing
