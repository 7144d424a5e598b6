#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/recipe.h"

namespace tokensieve {

/// An argument that a word of a recipe takes.
struct Parameter {
  enum class Kind {
    numbers,  ///< One number, or one for each site: "0.9/0.8/0.7".
    integer,  ///< A whole number of at least 0.
    choice,   ///< One of `choices`.
    flag,     ///< There or not, without a value.
    text,     ///< Taken as it is.
  };
  std::string key;
  Kind kind = Kind::numbers;
  std::string initial = "";  ///< What it is when not given; "" = nothing.
  std::vector<std::string> choices = {};
  bool required = false;
  bool padded = false;  ///< A list need not have a number for each site.
};

/// The number of a selector or reducer, which must be given; with or without its key.
Parameter rate(std::string key);
/// One of `choices`, the first when not given.
Parameter choice(std::string key, std::vector<std::string> choices);

/// The arguments of a call, checked and in canonical spelling, what is left out filled in.
class Arguments {
 public:
  /// Throws std::invalid_argument on an unknown argument (with the nearest known one), one given
  /// twice, a value of the wrong kind, and a required one that is missing. `num_sites` is how many
  /// sites the recipe has, 0 when only a network says.
  Arguments(const RecipeCall& call, const std::vector<Parameter>& parameters, size_t num_sites = 0);

  /// How many sites the recipe has, 0 when only a network says.
  size_t num_sites() const { return num_sites_; }

  bool has(const std::string& key) const { return values_.contains(key); }
  /// The canonical text of an argument. Throws std::invalid_argument for one that was not given and
  /// has no initial value: ask has() first.
  const std::string& text(const std::string& key) const;
  /// The numbers of an argument of that kind, one or one for each site. Throws as text().
  std::vector<double> numbers(const std::string& key) const;
  /// The number of an argument of that kind. Throws as text().
  uint64_t integer(const std::string& key) const;

 private:
  size_t num_sites_;
  std::map<std::string, std::string> values_;
};

}  // namespace tokensieve
