#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/recipe.h"

namespace tokensieve {

/// A recipe cut into calls, before any of their words is looked up.
struct RecipeText {
  RecipeCall method;                        ///< The short form; its name is empty in the long form.
  std::map<std::string, RecipeCall> parts;  ///< "score", "select", "drop", "reduce", "exit".
  std::vector<Site> sites;                  ///< Of the part "at", in order of execution.
  bool to_last = false;                     ///< The last site repeats in every block after it.
};

///     recipe = call | part { "|" part }
///     part   = ("score" | "select" | "drop" | "reduce" | "exit") "=" call | "at" "=" place { ","
///     place } call   = word [ "(" [ argument { "," argument } ] ")" ] argument = [ word "=" ] word
///     place  = word ":" blocks { "/" blocks }
///     blocks = number | number ".." number | number ".."
///     word   = letters, digits and _ . + - /
///
/// Throws std::invalid_argument on anything else, on a part given twice, and on sites that are not
/// in order of execution, as those after an open range cannot be.
RecipeText parse_recipe_text(std::string_view text);

/// "name(value, key=value)"
std::string to_string(const RecipeCall& call);
/// "before:3, after_attention:6/9", with ".." after it for `to_last`.
std::string to_string(const std::vector<Site>& sites, bool to_last);

/// The parts of the long form: "score", "select", "drop", "reduce", "at", "exit".
const std::vector<std::string>& recipe_parts();

}  // namespace tokensieve
