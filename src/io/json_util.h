#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tokensieve {

/// Texts past this size are refused: a parsed value takes up to thirty times the memory of its
/// text.
inline constexpr std::size_t kMaxJsonBytes = std::size_t{32} << 20;

/// The deepest nesting accepted, `[[1]]` being 2.
inline constexpr int kMaxJsonDepth = 64;

/// Parses the JSON text of a file that is not trusted; `what` names it in errors, best as its path.
/// Throws runtime_error with `what` and the byte position for a text that is over the size or depth
/// limit, is not JSON from first to last byte (comments, NaN, invalid UTF-8 and zero bytes
/// included), or has an object with the same key twice.
nlohmann::json parse_json(std::string_view text, std::string_view what);

/// The JSON in a file, through parse_json.
nlohmann::json read_json(const std::filesystem::path& path);

/// Throws the runtime_error for text that nlohmann-json refused, `[json] <what>: ...`, at a
/// length fit to print whatever the text was.
[[noreturn]] void fail_json_syntax(std::string_view what, const nlohmann::json::exception& error);

/// Refuses zero bytes, which nlohmann-json takes for the end of the text.
void check_no_zero_byte(std::string_view text, std::string_view what);

}  // namespace tokensieve
