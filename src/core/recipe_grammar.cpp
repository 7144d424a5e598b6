#include "recipe_grammar.h"

#include <limits>
#include <utility>

#include "scanner.h"
#include "text.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve {
namespace {

constexpr size_t kMaxSites = 1024;  // no network is as deep

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

void add_site(const Site& site, RecipeText& recipe) {
  const std::vector<Site>& sites = recipe.sites;
  if (recipe.to_last || (!sites.empty() && site <= sites.back())) {
    fail_argument("[recipe] expected each site once and in order of execution, got ",
                  to_string(site), " after ", to_string(sites.back()), recipe.to_last ? ".." : "");
  }
  check_argument(sites.size() < kMaxSites, "[recipe] expected at most ", kMaxSites,
                 " sites, got more");
  recipe.sites.push_back(site);
}

/// "3", "3..5" or "3..".
void add_blocks(std::string_view text, SitePosition position, RecipeText& recipe) {
  const size_t dots = text.find("..");
  const int first = parse_block(text.substr(0, dots));
  add_site({first, position}, recipe);
  if (dots == std::string_view::npos) return;
  const std::string_view end = text.substr(dots + 2);
  recipe.to_last = end.empty();
  if (recipe.to_last) return;
  const int last = parse_block(end);
  check_argument(first <= last, "[recipe] expected blocks from a lower to a higher number, got ",
                 text);
  for (int block = first + 1; block <= last; ++block) add_site({block, position}, recipe);
}

void scan_sites(Scanner& scanner, RecipeText& recipe) {
  do {
    const SitePosition position = parse_site_position(scanner.word("a position"));
    scanner.expect(':');
    const std::string blocks = scanner.word("block numbers such as 3/6/9 or 3..");
    for (const std::string_view part : split(blocks, '/')) add_blocks(part, position, recipe);
  } while (scanner.accept(','));
}

/// What follows `key=`.
void scan_part(Scanner& scanner, const std::string& key, RecipeText& recipe) {
  if (key == "at") {
    check_argument(recipe.sites.empty(), "[recipe] expected at= once, got it twice");
    scan_sites(scanner, recipe);
    return;
  }
  bool known = false;
  for (const std::string& part : recipe_parts()) known = known || part == key;
  check_argument(known, "[recipe] expected score=, select=, drop=, reduce=, at= or exit=, got '",
                 key, "='", did_you_mean(key, recipe_parts()));
  RecipeCall call = scan_call(scanner, scanner.word("a name"));
  check_argument(recipe.parts.emplace(key, std::move(call)).second, "[recipe] expected ", key,
                 "= once, got it twice");
}

}  // namespace

const std::vector<std::string>& recipe_parts() {
  static const std::vector<std::string> parts = {"score", "select", "drop", "reduce", "at", "exit"};
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

std::string to_string(const std::vector<Site>& sites, bool to_last) {
  std::string text;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (i > 0 && sites[i].position == sites[i - 1].position) {
      text += "/" + std::to_string(sites[i].layer);
    } else {
      text += (i > 0 ? ", " : "") + to_string(sites[i]);
    }
  }
  return to_last ? text + ".." : text;
}

}  // namespace tokensieve
