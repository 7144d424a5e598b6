#include "number_text.h"

#include <charconv>

namespace tokensieve::drawing {

namespace {

std::string printed(double value, std::chars_format format, int precision) {
  char text[512];  // the longest double in fixed notation has 309 digits in front of the point
  const auto result = std::to_chars(text, text + sizeof(text), value, format, precision);
  return {text, result.ptr};
}

}  // namespace

std::string number_text(double value, int digits) {
  return printed(value, std::chars_format::general, digits);
}

std::string fixed_text(double value, int decimals) {
  return printed(value, std::chars_format::fixed, decimals);
}

std::string percent_text(double share, int decimals) {
  return fixed_text(100.0 * share, decimals) + "%";
}

std::string macs_text(int64_t macs) {
  const double count = static_cast<double>(macs);
  if (count >= 1e9) return fixed_text(count / 1e9, 2) + " GMACs";
  if (count >= 1e6) return fixed_text(count / 1e6, count >= 1e8 ? 0 : 1) + " MMACs";
  return std::to_string(macs) + " MACs";
}

std::string milliseconds_text(double milliseconds) {
  return fixed_text(milliseconds, milliseconds >= 100.0 ? 0 : 1) + " ms";
}

}  // namespace tokensieve::drawing
