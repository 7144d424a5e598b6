#pragma once

#include <array>
#include <charconv>

namespace tokensieve {

/// The double with the shortest decimal form that is this float: 0.485, not 0.48500001430511475.
inline double short_decimal(float value) {
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.begin(), text.end(), value).ptr;
  double found = 0.0;
  std::from_chars(text.begin(), end, found);
  return found;
}

}  // namespace tokensieve
