#include "tokensieve/core/recipe_words.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "adding_a_method/state_norm.h"
#include "refuses.h"
#include "site_fixture.h"

using namespace tokensieve;

namespace {

template <typename Product>
Word<Product> word(const std::string& name) {
  return {name, {}, [](const Arguments&) { return std::unique_ptr<Product>(); }};
}

}  // namespace

TEST_CASE("An argument that was not given is named", "[core][recipe_words]") {
  const Arguments none(RecipeCall{"f", {}}, {{"k", Parameter::Kind::numbers}});
  CHECK(!none.has("k"));
  CHECK_THROWS_WITH(none.text("k"), Catch::Contains("[recipe] expected k, which was not given"));
  CHECK_THROWS_AS(none.numbers("k"), std::invalid_argument);
  CHECK_THROWS_AS(none.integer("k"), std::invalid_argument);
}

TEST_CASE("a registered scorer and short form are words of every recipe", "[core][recipe]") {
  register_word(Word<Scorer>{"state_norm", {}, [](const Arguments&) -> std::unique_ptr<Scorer> {
                               return std::make_unique<StateNormScorer>();
                             }});
  register_method({"by_norm", {rate("keep")}, [](const Arguments& given) {
                     return "score=state_norm | select=top_k(" + given.text("keep") +
                            ") | drop=gone | at=before:3";
                   }});
  const Recipe recipe = Recipe::parse("by_norm(keep=0.5)");
  CHECK(recipe.str() ==
        "score=state_norm | select=top_k(0.5, of=present, round=ceil) | drop=gone | at=before:3");
  CHECK(recipe.density_key() == "keep");
  CHECK(recipe.compile(4).all_sites().size() == 1);
  CHECK(method_name("by_norm(keep=0.5)") == "by_norm");  // though it must be given
  CHECK(std::ranges::count(recipe_words("score"), "state_norm") == 1);
  CHECK(std::ranges::count(recipe_words("method"), "by_norm") == 1);
  CHECK_REFUSES(Recipe::parse("by_morm"), "(did you mean 'by_norm'?)");
}

TEST_CASE("a word that is taken or no word is refused", "[core][recipe]") {
  CHECK_REFUSES(register_word(word<Scorer>("cls_attention")), "a name that is not taken");
  CHECK_REFUSES(register_word(word<Selector>("top_k")), "a name that is not taken");
  CHECK_REFUSES(register_word(word<DropPolicy>("fuse")), "a name that is not taken");
  CHECK_REFUSES(register_word(word<Reducer>("tome")), "a name that is not taken");
  CHECK_REFUSES(register_method({"evit", {}, nullptr}), "a name that is not taken");
  for (const char* name : {"", "two words", "a-b", "7", "score=x"}) {
    CHECK_REFUSES(register_word(word<Scorer>(name)), "letters, digits and '_'");
  }
}

TEST_CASE("the worked example scores rows by the length of their state", "[core][recipe]") {
  const test::SiteFixture fixture({3}, 1, {0, 0, 0});
  const std::vector<float> state = {1, 0, 3, 4, 0, -2};
  SiteInput input = fixture.input();
  input.state = {state.data(), 3, 2};
  std::vector<float> scores(3);
  StateNormScorer().score(input, scores);
  CHECK(scores == std::vector<float>{1, 5, 2});
  scores.resize(2);
  CHECK_REFUSES(StateNormScorer().score(input, scores), "[state_norm] expected 2 rows, got 3");
}
