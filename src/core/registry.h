#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recipe_arguments.h"
#include "text.h"
#include "tokensieve/core/drop_policy.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/exit_rule.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {

/// A word of a recipe and what it makes. The first parameter of a selector or reducer, if a number,
/// is its density; it is required or has a default.
template <typename Product>
struct Word {
  std::string name;
  std::vector<Parameter> parameters;
  std::unique_ptr<Product> (*make)(const Arguments&);
};

/// A short form and the long form it stands for, "" for the dense network.
struct Method {
  std::string name;
  std::vector<Parameter> parameters;
  std::string (*expand)(const Arguments&);
};

/// All words of recipes: a new method is one file and one line in registry.cpp.
struct Registry {
  std::vector<Word<Scorer>> score;
  std::vector<Word<Selector>> select;
  std::vector<Word<DropPolicy>> drop;
  std::vector<Word<Reducer>> reduce;
  std::vector<Word<ExitRule>> exit;
  std::vector<Method> method;
};

/// The one registry. It can be changed so that a test can add a word; nothing else does.
Registry& registry();

template <typename Entry>
std::vector<std::string> names(const std::vector<Entry>& entries) {
  std::vector<std::string> result;
  for (const Entry& entry : entries) result.push_back(entry.name);
  return result;
}

/// The entry of that name. Throws std::invalid_argument with the nearest one; `part` says in the
/// message what the name should be.
template <typename Entry>
const Entry& find_entry(std::string_view part, const std::vector<Entry>& entries,
                        const std::string& name) {
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
  }
  const std::vector<std::string> known = names(entries);
  fail_argument("[recipe] expected a ", part, " of ", known.empty() ? "none" : joined(known),
                ", got '", name, "'", did_you_mean(name, known));
}

}  // namespace tokensieve
