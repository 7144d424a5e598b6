#pragma once

#include <iostream>

#include <nlohmann/json.hpp>

namespace tokensieve::cli {

/// Prints one object to standard output. Bytes that are not UTF-8 (a file name may have some)
/// become U+FFFD.
inline void print_json(const nlohmann::ordered_json& json) {
  std::cout << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace tokensieve::cli
