#include <catch2/catch.hpp>
#include <vector>

#include "refuses.h"
#include "site_fixture.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/core/selector.h"

using namespace tokensieve;
using namespace tokensieve::test;

TEST_CASE("thresholds rise evenly to the last, which is after the last site", "[core][ltp]") {
  // The initial thresholds of 12 blocks at 0.01, of which block 0 has none.
  const std::vector<double> expected = {0.000833, 0.001667, 0.0025, 0.003333, 0.004167, 0.005,
                                        0.005833, 0.006667, 0.0075, 0.008333, 0.009167};
  const std::vector<double> thresholds = rising_thresholds(0.01, 11);
  REQUIRE(thresholds.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(thresholds[i] == Approx(expected[i]).margin(5e-7));
  }
  CHECK(rising_thresholds(0.01, 0).empty());
}

TEST_CASE("the short form of LTP is its triple", "[core][ltp]") {
  CHECK(Recipe::parse("ltp").str() ==
        "score=received_attention | select=threshold(0.01, of=score, rising) | drop=gone | "
        "at=after_attention:1..");
  CHECK(Recipe::parse("ltp(threshold=0.001/0.002, n_ref=128, sites=1/2)").str() ==
        "score=received_attention(n_ref=128) | select=threshold(0.001/0.002, of=score) | "
        "drop=gone | at=after_attention:1/2");
  CHECK(Recipe::parse(Recipe::parse("ltp").str()) == Recipe::parse("ltp"));
  CHECK(Recipe::parse("ltp").with("threshold", 0.02) == Recipe::parse("ltp(threshold=0.02)"));
  CHECK(Recipe::parse("ltp").compile(6).sites().size() == 5);
  CHECK_REFUSES(Recipe::parse("ltp(threshold=0.001/0.002)"), "name each block");
  CHECK_REFUSES(Recipe::parse("ltp(n_ref=0)"), "expected n_ref in [1");
  CHECK_REFUSES(Recipe::parse("ltp(n_ref=9999999999)"), "expected n_ref in [1");
  CHECK_REFUSES(Recipe::parse("score=received_attention | select=threshold(0.1/0.2, rising) | "
                              "drop=gone | at=after_attention:1/2"),
                "expected one threshold beside rising");
}

TEST_CASE("LTP keeps the tokens whose score reaches the threshold of their block", "[core][ltp]") {
  // Row 0 is the class token, which stays whatever it receives. 1/4 and 2/4 of 0.4.
  SiteFixture fixture({5}, 1, {0.0f, 0.1f, 0.0999f, 0.5f, 0.2f});
  const Schedule schedule = Recipe::parse("ltp(threshold=0.4)").compile(4);
  const auto kept = [&](size_t site) {
    fixture.site_index = schedule.sites()[site].index;
    return rows_of(schedule.sites()[site].reducer->reduce(fixture.input()).plan, 0);
  };
  CHECK(kept(0) == std::vector<int64_t>{0, 1, 3, 4});
  CHECK(kept(1) == std::vector<int64_t>{0, 3, 4});
  CHECK(kept(2) == std::vector<int64_t>{0, 3});
}
