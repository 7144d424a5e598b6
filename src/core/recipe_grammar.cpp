#include "recipe_grammar.h"

#include <limits>
#include <utility>

#include "scanner.h"
#include "text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve {
namespace {

RecipeCall scan_call(Scanner& scanner, std::string name) {
  RecipeCall call{std::move(name), {}};
  if (!scanner.accept('(') || scanner.accept(')')) return call;
  do {
    std::string value = scanner.word("an argument"), key;
    if (scanner.accept('=')) key = std::exchange(value, scanner.word("a value"));
    call.arguments.emplace_back(std::move(key), std::move(value));
  } while (scanner.accept(','));
  scanner.expect(')');
  return call;
}

int parse_block(std::string_view text) {
  const uint64_t block = parse_integer(text, "the block of a site");
  check_argument(block <= std::numeric_limits<int>::max() - 1, "[recipe] expected a block number, ",
                 "got ", text);
  return static_cast<int>(block);
}

std::vector<Site> scan_sites(Scanner& scanner) {
  std::vector<Site> sites;
  do {
    const SitePosition position = parse_site_position(scanner.word("a position"));
    scanner.expect(':');
    const std::string blocks = scanner.word("block numbers such as 3/6/9");
    for (const std::string_view block : split(blocks, '/')) {
      const Site site{parse_block(block), position};
      if (!sites.empty() && site <= sites.back()) {
        fail_argument("[recipe] expected each site once and in order of execution, got ",
                      to_string(site), " behind ", to_string(sites.back()));
      }
      sites.push_back(site);
    }
  } while (scanner.accept(','));
  return sites;
}

/// What follows `key=`.
void scan_part(Scanner& scanner, const std::string& key, RecipeText& recipe) {
  if (key == "at") {
    check_argument(recipe.sites.empty(), "[recipe] expected at= once, got it twice");
    recipe.sites = scan_sites(scanner);
    return;
  }
  bool known = false;
  for (const std::string& part : recipe_parts()) known = known || part == key;
  check_argument(known, "[recipe] expected score=, select=, drop=, reduce= or at=, got '", key,
                 "='", did_you_mean(key, recipe_parts()));
  RecipeCall call = scan_call(scanner, scanner.word("a name"));
  check_argument(recipe.parts.emplace(key, std::move(call)).second, "[recipe] expected ", key,
                 "= once, got it twice");
}

}  // namespace

const std::vector<std::string>& recipe_parts() {
  static const std::vector<std::string> parts = {"score", "select", "drop", "reduce", "at"};
  return parts;
}

RecipeText parse_recipe_text(std::string_view text) {
  Scanner scanner(text);
  RecipeText recipe;
  std::string word = scanner.word("a method such as evit(keep=0.7), or score=...");
  if (!scanner.accept('=')) {
    recipe.method = scan_call(scanner, std::move(word));
  } else {
    scan_part(scanner, word, recipe);
    while (scanner.accept('|')) {
      word = scanner.word("a part such as select=...");
      scanner.expect('=');
      scan_part(scanner, word, recipe);
    }
  }
  scanner.expect_end();
  return recipe;
}

std::string to_string(const RecipeCall& call) {
  std::string text;
  for (const auto& [key, value] : call.arguments) {
    text += (text.empty() ? "" : ", ") + (key.empty() ? value : key + "=" + value);
  }
  return text.empty() ? call.name : call.name + "(" + text + ")";
}

std::string to_string(const std::vector<Site>& sites) {
  std::string text;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (i > 0 && sites[i].position == sites[i - 1].position) {
      text += "/" + std::to_string(sites[i].layer);
    } else {
      text += (i > 0 ? ", " : "") + to_string(sites[i]);
    }
  }
  return text;
}

}  // namespace tokensieve
