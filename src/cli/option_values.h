#pragma once

#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve::cli {

/// Checks for a whole number from `least` to `most`, without a note in the help text.
inline CLI::Validator count_from(int least, int most) {
  CLI::Validator validator = CLI::Range(least, most);
  validator.description("");
  return validator;
}

/// Samples that a command takes in one call, at most.
inline constexpr int kMaxBatch = 4096;

/// The same from 1 on.
inline CLI::Validator count_up_to(int most) { return count_from(1, most); }

/// The value that goes with `word`. Throws std::invalid_argument with the nearest word.
template <typename T>
T choose(const std::string& option, const std::string& word,
         const std::vector<std::pair<std::string, T>>& choices) {
  std::vector<std::string> words;
  std::string list;
  for (const auto& [name, value] : choices) {
    if (name == word) return value;
    words.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  fail_argument("[", option, "] expected one of ", list, ", got '", word, "'",
                did_you_mean(word, words));
}

}  // namespace tokensieve::cli
