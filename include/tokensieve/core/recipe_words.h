#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tokensieve/core/drop_policy.h"
#include "tokensieve/core/recipe_arguments.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/selector.h"

namespace tokensieve {

/// A word of a recipe and what it makes. The first parameter of a selector or reducer, if a number,
/// is its density; it is required or has a default.
template <typename Product>
struct Word {
  std::string name;                   ///< Letters, digits and '_'.
  std::vector<Parameter> parameters;  ///< What may stand in its parentheses.
  std::function<std::unique_ptr<Product>(const Arguments&)> make;
};

/// A short form and the long form it stands for, "" for the dense network.
struct Method {
  std::string name;
  std::vector<Parameter> parameters;
  std::function<std::string(const Arguments&)> expand;
};

/// Makes a word known to every recipe that this process parses from now on, as score=, select=,
/// drop= or reduce=. Throws std::invalid_argument for a name that is taken or no word. Call it
/// before other threads use recipes.
void register_word(Word<Scorer> word);
void register_word(Word<Selector> word);
void register_word(Word<DropPolicy> word);
void register_word(Word<Reducer> word);
/// The same for a short form.
void register_method(Method method);

}  // namespace tokensieve
