#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/exit_rule.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/recipe_words.h"

namespace tokensieve {

/// The parameter that may stand without its key: the first one, if it is a number. Null otherwise.
const Parameter* positional(const std::vector<Parameter>& parameters);

/// The call with its arguments as Arguments has them, in the order of the parameters.
RecipeCall canonical(const RecipeCall& call, const std::vector<Parameter>& parameters);

/// All words of recipes: a new method is one file and one line in registry.cpp.
struct Registry {
  std::vector<Word<Scorer>> score;
  std::vector<Word<Selector>> select;
  std::vector<Word<DropPolicy>> drop;
  std::vector<Word<Reducer>> reduce;
  std::vector<Word<ExitRule>> exit;
  std::vector<Method> method;
};

/// The one registry. register_word() and register_method() add to it.
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
