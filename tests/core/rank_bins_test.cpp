#include "tokensieve/core/rank_bins.h"

#include <catch2/catch.hpp>

#include "tokensieve/core/recipe.h"

using namespace tokensieve;
using Kept = std::vector<std::int32_t>;

namespace {

Kept select(const Selector& selector, std::vector<float> scores, int site = 0) {
  return selector.select({scores, static_cast<std::int64_t>(scores.size()), site});
}

}  // namespace

TEST_CASE("a row stays where the bin of its rank does", "[core][rank_bins]") {
  const auto selector = rank_bins_selector(parse_rank_bins("101/110"));
  // Ranks of five rows over three bins: 0, 0, 1, 1, 2.
  CHECK(select(*selector, {0.1f, 0.5f, 0.3f, 0.2f, 0.4f}) == Kept{0, 1, 4});
  CHECK(select(*selector, {0.1f, 0.5f, 0.3f, 0.2f, 0.4f}, 1) == Kept{1, 2, 3, 4});
  CHECK(select(*selector, {0.3f}) == Kept{0});
  CHECK(select(*selector, {}) == Kept{});
  CHECK(select(*selector, {1, 1, 1, 1}) == Kept{0, 1, 3});  // ties go to the smaller index
  // As many rows as bins (rank 1 is just below bin 1), and twice as many and one.
  CHECK(select(*selector, {3, 2, 1}) == Kept{0, 1});
  CHECK(select(*selector, {7, 6, 5, 4, 3, 2, 1}) == Kept{0, 1, 2, 5, 6});
  CHECK(selector->has_fixed_count());
  CHECK_FALSE(selector->keeps_everything(0));
  CHECK(rank_bins_selector(parse_rank_bins("0/11"))->keeps_everything(1));
}

TEST_CASE("where every bin is closed the best row stays", "[core][rank_bins]") {
  CHECK(select(*rank_bins_selector(parse_rank_bins("000")), {0.1f, 0.5f, 0.3f}) == Kept{1});
}

TEST_CASE("bins are text that comes back", "[core][rank_bins]") {
  CHECK(rank_bins_text(parse_rank_bins("110/1/0")) == "110/1/0");
  const Recipe recipe = Recipe::parse("top(bins=1110/1100/1000, sites=1..3)");
  CHECK(recipe == Recipe::parse(recipe.str()));
  CHECK(recipe.str() ==
        "score=received_attention | select=rank_bins(bins=1110/1100/1000) | drop=gone | "
        "at=after_attention:1/2/3");
  CHECK(recipe.compile(6).sites().size() == 3);
  CHECK(recipe.compile(6).has_fixed_counts());
  CHECK(recipe.density_key().empty());
  CHECK(Recipe::parse("top(bins=111/110, sites=1/2)").compile(6).sites().size() == 1);
}

TEST_CASE("text that is no bins is refused", "[core][rank_bins][errors]") {
  for (const char* text : {"", "12", "1/", "/1", "1//1", "x"}) {
    CHECK_THROWS_WITH(parse_rank_bins(text), Catch::Contains("[rank_bins]"));
  }
  CHECK_THROWS_WITH(rank_bins_selector({}), Catch::Contains("[rank_bins]"));
  CHECK_THROWS_WITH(rank_bins_selector({{}}), Catch::Contains("[rank_bins]"));
  CHECK_THROWS_WITH(rank_bins_selector({std::vector<bool>(1001)}), Catch::Contains("[rank_bins]"));
  CHECK_THROWS_WITH(select(*rank_bins_selector({{true, false}}), {1}, 1),
                    Catch::Contains("bins for site 1"));
  CHECK_THROWS_AS(Recipe::parse("top(sites=1)"), std::invalid_argument);
  for (const char* text : {"top(bins=1110/1/0, sites=1/2)", "top(bins=10, sites=1/2)"}) {
    CHECK_THROWS_WITH(Recipe::parse(text), Catch::Contains("bins for each of 2 sites"));
  }
}
