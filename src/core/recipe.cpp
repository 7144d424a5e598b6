#include "tokensieve/core/recipe.h"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "recipe_grammar.h"
#include "registry.h"
#include "scanner.h"
#include "text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/core/triple_reducer.h"

namespace tokensieve {
namespace {

/// No more digits than thresholds are kept in.
double with_seven_digits(double value) {
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 7);
  std::from_chars(text.data(), end.ptr, value);
  return value;
}

/// Thresholds are learned for their sites, so a list keeps its proportions.
std::string scaled_thresholds(const std::string& list, double last) {
  std::vector<double> values = parse_numbers(list, "threshold");
  if (values.size() == 1) return format_number(last);
  check_argument(values.back() != 0,
                 "[recipe] expected thresholds whose last one can be scaled to ", last, ", got ",
                 list);
  const double factor = last / values.back();
  for (double& value : values) value = with_seven_digits(value * factor);
  values.back() = last;
  return format_numbers(values);
}

std::string expand(const RecipeCall& call) {
  const Method& method = find_entry("method", registry().method, call.name);
  return method.expand(Arguments(call, method.parameters));
}

/// The call of a part in canonical spelling. Its lists must have a number for each site.
template <typename Product>
RecipeCall checked_call(const RecipeText& text, const std::string& part,
                        const std::vector<Word<Product>>& words) {
  const auto found = text.parts.find(part);
  check_argument(found != text.parts.end(), "[recipe] expected ", part, "=..., got none; one of ",
                 joined(names(words)));
  const Word<Product>& word = find_entry(part, words, found->second.name);
  RecipeCall call = canonical(found->second, word.parameters);
  const Arguments arguments(call, word.parameters);
  for (const Parameter& parameter : word.parameters) {
    if (parameter.kind != Parameter::Kind::numbers || !arguments.has(parameter.key)) continue;
    const size_t count = arguments.numbers(parameter.key).size();
    check_argument(count == 1 || parameter.padded || !text.to_last, "[recipe] expected one ",
                   parameter.key, " for at=", to_string(text.sites, true), ", got ", count, " in '",
                   to_string(call), "'; name each block to give each a number");
    check_argument(count == 1 || count == text.sites.size() || parameter.padded,
                   "[recipe] expected one ", parameter.key, ", or one for each of ",
                   text.sites.size(), " sites, got ", count, " in '", to_string(call), "'");
  }
  return call;
}

template <typename Product>
std::unique_ptr<Product> make(const std::vector<Word<Product>>& words, const RecipeCall& call,
                              size_t num_sites) {
  const Word<Product>& word = find_entry("word", words, call.name);
  return word.make(Arguments(call, word.parameters, num_sites));
}

/// Takes the argument `key`, or the number that stands without a key, out of a call.
void erase_density(RecipeCall& call, const std::string& key) {
  std::erase_if(call.arguments, [&](const auto& argument) {
    const bool number = argument.second.find_first_of("0123456789.+-") == 0;
    return argument.first == key || (argument.first.empty() && number);
  });
}

/// What says how many rows stay, null where no single number does (rank bins).
const Parameter* density_of(const RecipeCall& select, const RecipeCall& reduce) {
  return positional(reduce.name.empty()
                        ? find_entry("selector", registry().select, select.name).parameters
                        : find_entry("reducer", registry().reduce, reduce.name).parameters);
}

/// The density of a short form that is given none, "" where it must be given one.
std::string usual_density_key(const RecipeCall& call) {
  try {
    return Recipe::parse(to_string(call)).density_key();
  } catch (const std::invalid_argument&) {
    return "";
  }
}

}  // namespace

Recipe Recipe::parse(std::string_view text) {
  const RecipeText parsed = parse_recipe_text(text);
  if (!parsed.method.name.empty()) {
    const std::string long_form = expand(parsed.method);
    return long_form.empty() ? Recipe() : parse(long_form);
  }
  Recipe recipe;
  const bool exits = parsed.parts.contains("exit");
  if (exits) recipe.exit_ = checked_call(parsed, "exit", registry().exit);
  if (exits && parsed.parts.size() == 1 && parsed.sites.empty()) {
    recipe.check();
    return recipe;
  }
  check_argument(!parsed.sites.empty(),
                 "[recipe] expected at=..., got none; for example at=after_attention:3/6/9");
  recipe.sites_ = parsed.sites;
  recipe.to_last_ = parsed.to_last;
  if (parsed.parts.contains("reduce")) {
    check_argument(parsed.parts.size() == (exits ? 2 : 1),
                   "[recipe] expected reduce= or score=, select= and drop=, got both");
    recipe.reduce_ = checked_call(parsed, "reduce", registry().reduce);
  } else {
    recipe.score_ = checked_call(parsed, "score", registry().score);
    recipe.select_ = checked_call(parsed, "select", registry().select);
    recipe.drop_ = checked_call(parsed, "drop", registry().drop);
  }
  recipe.check();
  return recipe;
}

void Recipe::check() const {
  make_exit();  // throws when a number is out of range, as the next line
  const auto reducer = sites_.empty() ? nullptr : make_reducer(to_last_ ? 0 : sites_.size());
  for (const Site& site : sites_) {
    check_argument(reducer->is_gather() || site.position != SitePosition::inside_attention,
                   "[recipe] expected ",
                   reduce_.name.empty() ? "drop=gone" : "a method that only drops rows", " at ",
                   to_string(site), ", got ",
                   reduce_.name.empty() ? "drop=" + drop_.name : reduce_.name,
                   "; it works at after_attention");
  }
  const size_t length = str().size();
  check_argument(length <= kMaxRecipeLength, "[recipe] expected at most ", kMaxRecipeLength,
                 " characters in the long form, got ", length);
}

std::string Recipe::str() const {
  if (is_dense()) return "dense";
  const std::string exit = exit_.name.empty() ? "" : cat("exit=", to_string(exit_));
  if (sites_.empty()) return exit;
  const std::string method =
      reduce_.name.empty() ? cat("score=", to_string(score_), " | select=", to_string(select_),
                                 " | drop=", to_string(drop_))
                           : cat("reduce=", to_string(reduce_));
  return cat(method, " | at=", to_string(sites_, to_last_), exit.empty() ? "" : " | ", exit);
}

std::string Recipe::density_key() const {
  const Parameter* of_rows = sites_.empty() ? nullptr : density_of(select_, reduce_);
  return of_rows == nullptr ? exit_key() : of_rows->key;
}

std::string Recipe::density() const {
  if (density_key().empty()) return "";
  const bool of_rows = !sites_.empty() && density_of(select_, reduce_) != nullptr;
  const RecipeCall& call = !of_rows ? exit_ : reduce_.name.empty() ? select_ : reduce_;
  return call.arguments.front().second;
}

std::string Recipe::exit_key() const { return exit_.name; }

Recipe Recipe::with(std::string_view key, double value) const {
  const std::string own = density_key(), of_exit = exit_key();
  check_argument(!own.empty(), "[recipe] expected a recipe with a density to set ", key, ", got '",
                 str(), "'");
  const bool changes_exit = !of_exit.empty() && key == of_exit;
  check_argument(key == own || changes_exit, "[recipe] expected ", own,
                 of_exit.empty() || of_exit == own ? "" : " or " + of_exit, ", the density of '",
                 str(), "', got '", key, "'");
  check_argument(std::isfinite(value), "[recipe] expected a finite ", key, ", got ", value);
  Recipe changed = *this;
  RecipeCall& call = changes_exit           ? changed.exit_
                     : reduce_.name.empty() ? changed.select_
                                            : changed.reduce_;
  std::string& density = call.arguments.front().second;  // what stands without a key is in front
  density = key == "threshold" ? scaled_thresholds(density, value) : format_number(value);
  changed.check();
  return changed;
}

std::shared_ptr<const Reducer> Recipe::make_reducer(size_t num_sites) const {
  if (!reduce_.name.empty()) return make(registry().reduce, reduce_, num_sites);
  return triple_reducer(make(registry().score, score_, num_sites),
                        make(registry().select, select_, num_sites),
                        make(registry().drop, drop_, num_sites));
}

ExitRule Recipe::make_exit() const {
  return exit_.name.empty() ? ExitRule() : *make(registry().exit, exit_, sites_.size());
}

Schedule Recipe::compile(int num_layers) const {
  if (sites_.empty()) return Schedule({}, num_layers, make_exit());
  std::vector<Site> sites = sites_;
  while (to_last_ && sites.back().layer + 1 < num_layers) {
    sites.push_back({sites.back().layer + 1, sites.back().position});
  }
  const std::shared_ptr<const Reducer> reducer = make_reducer(sites.size());
  std::vector<ScheduledSite> scheduled;
  for (const Site& site : sites) {
    scheduled.push_back({site, static_cast<int>(scheduled.size()), reducer});
  }
  return Schedule(std::move(scheduled), num_layers, make_exit());
}

std::string method_name(std::string_view text) {
  const Recipe recipe = Recipe::parse(text);
  const std::string key = recipe.density_key();
  RecipeText parsed = parse_recipe_text(text);
  if (!parsed.method.name.empty()) {
    erase_density(parsed.method, key);
    const std::string usual = usual_density_key(parsed.method);
    if (!usual.empty() && usual != key) {
      parsed.method.arguments.insert(parsed.method.arguments.begin(), {"", key});
    }
    return to_string(parsed.method);
  }
  std::string name;
  for (const std::string& part : recipe_parts()) {
    const auto found = parsed.parts.find(part);
    if (found == parsed.parts.end()) continue;
    if (part == "select" || part == "reduce" || (part == "exit" && key == recipe.exit_key())) {
      erase_density(found->second, key);
    }
    name += cat(name.empty() ? "" : " | ", part, "=", to_string(found->second));
  }
  if (parsed.sites.empty()) return name;
  return cat(name, " | at=", to_string(parsed.sites, parsed.to_last));
}

std::vector<std::string> recipe_words(std::string_view part) {
  const Registry& words = registry();
  if (part == "method") return names(words.method);
  if (part == "score") return names(words.score);
  if (part == "select") return names(words.select);
  if (part == "drop") return names(words.drop);
  if (part == "reduce") return names(words.reduce);
  if (part == "at") return site_position_words();
  if (part == "exit") return names(words.exit);
  std::vector<std::string> parts = recipe_parts();
  parts.push_back("method");
  fail_argument("[recipe_words] expected method, score, select, drop, reduce, at or exit, got '",
                part, "'", did_you_mean(part, parts));
}

}  // namespace tokensieve
