#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// The shortest text that reads back as `value`.
std::string format_number(double value);
/// The numbers joined by '/'.
std::string format_numbers(const std::vector<double>& values);

/// Finite numbers joined by '/'. Throws std::invalid_argument on anything else; `what` says in the
/// message what the numbers are for.
std::vector<double> parse_numbers(std::string_view text, std::string_view what);
/// A whole number of at least 0. Throws like parse_numbers.
uint64_t parse_integer(std::string_view text, std::string_view what);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);
/// The pieces of `text` between `separator`s, at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace tokensieve
