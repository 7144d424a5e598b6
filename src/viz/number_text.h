#pragma once

#include <cstdint>
#include <string>

namespace tokensieve::drawing {

/// `value` with `digits` significant digits, the same in every locale: "0.0123", "1e-07", "12".
std::string number_text(double value, int digits = 3);
/// A number with `decimals` places: "21.30".
std::string fixed_text(double value, int decimals);
/// 0.9712 as "97.1%"; with no decimals "97%".
std::string percent_text(double share, int decimals = 1);
/// Multiply-accumulates: "4.61 GMACs", "812 MMACs".
std::string macs_text(int64_t macs);
/// "21.3 ms".
std::string milliseconds_text(double milliseconds);

}  // namespace tokensieve::drawing
