#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tokensieve {

/// The candidate with the fewest typing errors from `word`: letters inserted, dropped, replaced or
/// swapped with a neighbour; upper and lower case count as the same. The first one wins a tie.
/// Empty if all are more errors away than one for each six letters and one more, or than 4, or if
/// the word is longer than 256 bytes.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean 'x'?)" with the nearest candidate, to end an error message with, or "" if none
/// is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace tokensieve
