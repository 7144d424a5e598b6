#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokensieve/core/schedule.h"

namespace tokensieve {

/// One call of the recipe grammar: `name(0.7, of=present)`. Values are words, numbers or lists of
/// numbers joined by `/`; a value without a key is positional, a lone word is a flag.
struct RecipeCall {
  std::string name;
  std::vector<std::pair<std::string, std::string>>
      arguments;  ///< (key, value); key "" = positional

  bool operator==(const RecipeCall&) const = default;
};

/// A whole method as a string that round-trips.
///
/// Short: `dense`, `dynamicvit(keep=0.7, sites=3/6/9)`, `evit(keep=0.7, fuse)`,
/// `evit(mass=0.9)`, `random(keep=0.7, seed=1)`. Long, what the short form expands to:
/// `score=cls_attention | select=top_k(0.7, of=present, round=ceil) | drop=fuse |
/// at=after_attention:3/6/9`. A method that is no triple stands as `reduce=NAME(...) | at=...`.
/// Text models can end a sample's work early, beside a method or alone: `exit=entropy(0.3)`,
/// `exit=patience(6)`.
///
/// Sites stand in order of execution, several positions with a comma between them:
/// `at=before:3, after_attention:6/9`; `3..6` are the blocks from 3 to 6, `3..` all from 3 on. A
/// rate can be a list with one number for each site: `top_k(0.9/0.8/0.7)`. What is left out takes
/// its default, and str() writes it.
class Recipe {
 public:
  /// The dense network.
  Recipe() = default;
  /// Parses the short or the long form. Throws std::invalid_argument that names the word, what was
  /// expected there and the nearest known word.
  static Recipe parse(std::string_view text);

  /// The long form; `parse(str()) == *this`. "dense" for the dense network.
  std::string str() const;
  bool is_dense() const { return sites_.empty() && exit_.name.empty(); }
  bool operator==(const Recipe&) const = default;

  /// The same recipe at another density: `keep`, `mass` or `r` (ToMe), one number for all sites;
  /// `threshold`, of a list the last, the others in proportion; or the `patience`, `entropy` or
  /// `confidence` of its exit. Throws std::invalid_argument when the recipe has no such number,
  /// naming the one it has.
  Recipe with(std::string_view key, double value) const;
  /// The word of the density this recipe takes: "keep", "threshold", "mass", "r"; that of its exit
  /// when it has nothing else; "" when dense.
  std::string density_key() const;
  /// Its value as str() writes it: "0.7", or a number for each site, "0.9/0.8/0.7"; "" when dense.
  std::string density() const;
  /// The word of its exit: "patience", "entropy", "confidence"; "" when samples do not exit.
  std::string exit_key() const;

  /// Makes the reducers. Throws std::invalid_argument when a site is not in a network of
  /// `num_layers` blocks.
  Schedule compile(int num_layers) const;

 private:
  void check() const;
  /// For so many sites; some methods spread their numbers over them.
  std::shared_ptr<const Reducer> make_reducer(size_t num_sites) const;
  ExitRule make_exit() const;

  RecipeCall score_, select_, drop_;
  RecipeCall reduce_;  // instead of the triple
  RecipeCall exit_;    // beside either, or alone
  std::vector<Site> sites_;
  bool to_last_ = false;  // the last site repeats in every block after it
};

/// What recipes that differ in their density alone have in common, for tables and plots: the text
/// without that number. "evit(keep=0.7, fuse)" gives "evit(fuse)"; where the method would take
/// another density without it, its word stays: "evit(mass=0.9)" gives "evit(mass)". Throws
/// std::invalid_argument as Recipe::parse does.
std::string method_name(std::string_view text);

/// Words a recipe can use, for help texts and completion: methods ("evit"), and the words of the
/// long form by part ("score", "select", "drop", "reduce", "at", "exit"). `part` is "method" or one
/// of these; throws std::invalid_argument otherwise.
std::vector<std::string> recipe_words(std::string_view part);

}  // namespace tokensieve
