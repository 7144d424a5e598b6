#include "text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// True when all of `text` is one number, which is then in `value`.
template <typename Number>
bool parse_whole(std::string_view text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

}  // namespace

std::string format_number(double value) {
  std::array<char, 32> text;  // the longest double has 24 characters
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

std::string format_numbers(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : "/") + format_number(value);
  return text;
}

std::vector<double> parse_numbers(std::string_view text, std::string_view what) {
  std::vector<double> values;
  for (const std::string_view piece : split(text, '/')) {
    double value = 0.0;
    check_argument(parse_whole(piece, value) && std::isfinite(value), "[recipe] expected ", what,
                   " to be a number such as 0.7, or a list such as 0.9/0.8/0.7, got '", text, "'");
    values.push_back(value);
  }
  return values;
}

uint64_t parse_integer(std::string_view text, std::string_view what) {
  uint64_t value = 0;
  check_argument(parse_whole(text, value), "[recipe] expected ", what,
                 " to be a whole number of at least 0, got '", text, "'");
  return value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string_view::npos; begin = end + 1) {
    pieces.push_back(text.substr(begin, end - begin));
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

}  // namespace tokensieve
