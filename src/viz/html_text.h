#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// Text made safe for the places it goes to. Bytes that are not UTF-8 and control characters become
/// U+FFFD everywhere.
namespace tokensieve::drawing {

/// For element content and quoted attributes.
std::string escape_html(std::string_view text);
/// For a terminal, and lines to draw: line ends stay as "\n", a tab becomes a space.
std::string plain_text(std::string_view text);
/// A JSON string with its quotes that is also safe inside a script element: no '<', '>' or '&'.
std::string json_string(std::string_view text);
/// A JSON number, the shortest that reads back as the same float; null when not finite.
std::string json_number(float value);
/// "data:image/png;base64,...".
std::string png_data_uri(std::span<const std::byte> png);

}  // namespace tokensieve::drawing
