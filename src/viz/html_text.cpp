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

std::string plain_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\t\n\r", at), text.size());
    std::string_view run = text.substr(at, end - at);
    // U+0080 to U+009F are control characters, too; terminals obey some.
    while (!run.empty()) {
      std::size_t c1 = 0;
      while (c1 + 1 < run.size() && !(run[c1] == '\xC2' && run[c1 + 1] < '\xA0')) ++c1;
      const bool found = c1 + 1 < run.size();
      out +=
          escape(run.substr(0, found ? c1 : run.size()), [](char) { return std::string_view(); });
      if (found) out += kReplacement;
      run.remove_prefix(found ? c1 + 2 : run.size());
    }
    if (end == text.size()) break;
    if (text[end] == '\t') out += ' ';
    // "\r\n" and a lone "\r" are one line end.
    if (text[end] == '\n' || (text[end] == '\r' && !text.substr(end).starts_with("\r\n")))
      out += '\n';
    at = end + 1;
  }
  return out;
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
