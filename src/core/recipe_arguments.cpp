#include "tokensieve/core/recipe_arguments.h"

#include <algorithm>
#include <utility>

#include "registry.h"
#include "text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve {
namespace {

using Kind = Parameter::Kind;

[[noreturn]] void fail_unknown(const std::string& name, const std::string& word,
                               const std::vector<Parameter>& parameters) {
  std::vector<std::string> keys;
  for (const Parameter& parameter : parameters) keys.push_back(parameter.key);
  fail_argument("[recipe] expected ", keys.empty() ? "no argument" : joined(keys), " in ", name,
                "(...), got '", word, "'", did_you_mean(word, keys));
}

/// The parameter an argument means: by its key, as a flag, or by being a number without a key.
const Parameter& meant(const std::string& name, const std::string& key, const std::string& value,
                       const std::vector<Parameter>& parameters) {
  const std::string& word = key.empty() ? value : key;
  const auto found =
      std::find_if(parameters.begin(), parameters.end(),
                   [&](const Parameter& parameter) { return parameter.key == word; });
  if (found != parameters.end()) {
    check_argument(key.empty() == (found->kind == Kind::flag), "[recipe] expected ", word,
                   key.empty() ? "=..." : " without a value", " in ", name, "(...), got '",
                   key.empty() ? word : key + "=" + value, "'");
    return *found;
  }
  const bool is_number = word.find_first_of("0123456789.+-") == 0;
  const Parameter* first = positional(parameters);
  if (!key.empty() || !is_number || first == nullptr) fail_unknown(name, word, parameters);
  return *first;
}

std::string canonical_value(const std::string& name, const Parameter& parameter,
                            const std::string& value) {
  const std::string what = cat(parameter.key, " in ", name, "(...)");
  switch (parameter.kind) {
    case Kind::numbers:
      return format_numbers(parse_numbers(value, what));
    case Kind::integer:
      return std::to_string(parse_integer(value, what));
    case Kind::choice: {
      const auto& choices = parameter.choices;
      check_argument(std::find(choices.begin(), choices.end(), value) != choices.end(),
                     "[recipe] expected ", what, " to be one of ", joined(choices), ", got '",
                     value, "'", did_you_mean(value, choices));
      return value;
    }
    case Kind::flag:
    case Kind::text:
      break;
  }
  return value;
}

}  // namespace

Parameter rate(std::string key) { return {std::move(key), Kind::numbers, "", {}, true}; }

Parameter choice(std::string key, std::vector<std::string> choices) {
  std::string first = choices.front();
  return {std::move(key), Kind::choice, std::move(first), std::move(choices)};
}

Arguments::Arguments(const RecipeCall& call, const std::vector<Parameter>& parameters,
                     size_t num_sites)
    : num_sites_(num_sites) {
  for (const auto& [key, value] : call.arguments) {
    const Parameter& parameter = meant(call.name, key, value, parameters);
    std::string text = canonical_value(call.name, parameter, value);
    check_argument(values_.emplace(parameter.key, std::move(text)).second, "[recipe] expected ",
                   parameter.key, " once in ", call.name, "(...), got it twice");
  }
  for (const Parameter& parameter : parameters) {
    check_argument(!parameter.required || has(parameter.key), "[recipe] expected ", parameter.key,
                   " in ", call.name, "(...), got none");
    if (!parameter.initial.empty()) values_.emplace(parameter.key, parameter.initial);
  }
}

const std::string& Arguments::text(const std::string& key) const {
  const auto found = values_.find(key);
  check_argument(found != values_.end(), "[recipe] expected ", key, ", which was not given");
  return found->second;
}

std::vector<double> Arguments::numbers(const std::string& key) const {
  return parse_numbers(text(key), key);
}

uint64_t Arguments::integer(const std::string& key) const { return parse_integer(text(key), key); }

const Parameter* positional(const std::vector<Parameter>& parameters) {
  const bool has_one = !parameters.empty() && parameters.front().kind == Kind::numbers;
  return has_one ? &parameters.front() : nullptr;
}

RecipeCall canonical(const RecipeCall& call, const std::vector<Parameter>& parameters) {
  const Arguments arguments(call, parameters);
  RecipeCall result{call.name, {}};
  for (const Parameter& parameter : parameters) {
    if (!arguments.has(parameter.key)) continue;
    const bool by_position = &parameter == positional(parameters);
    const bool bare = by_position || parameter.kind == Kind::flag;
    result.arguments.emplace_back(bare ? "" : parameter.key, arguments.text(parameter.key));
  }
  return result;
}

}  // namespace tokensieve
