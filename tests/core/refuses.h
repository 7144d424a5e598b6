#pragma once

#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

namespace tokensieve::test {

/// Matches an exception whose message contains `text`.
inline auto says(const std::string& text) {
  return Catch::Matchers::Predicate<std::exception>(
      [text](const std::exception& error) {
        return std::string(error.what()).find(text) != std::string::npos;
      },
      "says: " + text);
}

}  // namespace tokensieve::test

/// The expression is the caller's mistake, and the message contains `text`.
#define CHECK_REFUSES(expression, text) \
  CHECK_THROWS_MATCHES(expression, std::invalid_argument, ::tokensieve::test::says(text))
