#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "refuses.h"
#include "site_fixture.h"
#include "tokensieve/core/macs.h"
#include "tokensieve/core/recipe.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Contributions that are given, prefix rows among them.
struct GivenContributions final : TokenPredictor {
  explicit GivenContributions(std::vector<float> values_) : values(std::move(values_)) {}
  void predict(const SiteInput&, std::span<float> scores) override {
    std::copy(values.begin(), values.end(), scores.begin());
  }
  std::vector<float> values;
};

Reduction reduce(const char* recipe, const std::vector<float>& contributions, size_t block = 0) {
  SiteFixture fixture({static_cast<int64_t>(contributions.size())}, 1, contributions);
  const Schedule schedule = Recipe::parse(recipe).compile(4);
  const ScheduledSite& site = schedule.sites()[block];
  fixture.site_index = site.index;
  GivenContributions predictor(contributions);
  SiteInput input = fixture.input();
  input.predictor = &predictor;
  CHECK(site.reducer->learned_score() == LearnedScore::contribution);
  CHECK(site.reducer->attention_request() == AttentionRequest::none);
  return site.reducer->reduce(input);
}

std::vector<int64_t> kept(const char* recipe, const std::vector<float>& contributions,
                          size_t block = 0) {
  return rows_of(reduce(recipe, contributions, block).plan, 0);
}

}  // namespace

TEST_CASE("the short form of AdapLeR is its triple", "[core][adapler]") {
  CHECK(Recipe::parse("adapler").str() ==
        "score=contribution | select=threshold(0.25, of=score) | drop=gone | at=before:0..");
  CHECK(Recipe::parse("adapler(threshold=0.2/0.5, sites=0..1)").str() ==
        "score=contribution | select=threshold(0.2/0.5, of=score) | drop=gone | at=before:0/1");
  CHECK(Recipe::parse(Recipe::parse("adapler").str()) == Recipe::parse("adapler"));
  CHECK(Recipe::parse("adapler").with("threshold", 0.5) == Recipe::parse("adapler(threshold=0.5)"));
  CHECK(Recipe::parse("adapler").compile(6).sites().size() == 6);
  CHECK_REFUSES(Recipe::parse("adapler(threshold=0.2/0.5)"), "name each block");
  CHECK_REFUSES(Recipe::parse("adapler(keep=0.5)"), "keep");
}

TEST_CASE("AdapLeR keeps the tokens whose contribution reaches the eta of their block",
          "[core][adapler]") {
  // alpha = .5 .1 .05 .15 .2 of 5 rows: n alpha.
  const std::vector<float> contributions = {2.5f, 0.5f, 0.25f, 0.75f, 1.0f};
  const char* recipe = "adapler(threshold=0.25/0.5/0.75/1, sites=0..3)";
  CHECK(kept(recipe, contributions, 0) == std::vector<int64_t>{0, 1, 2, 3, 4});
  CHECK(kept(recipe, contributions, 1) == std::vector<int64_t>{0, 1, 3, 4});
  CHECK(kept(recipe, contributions, 2) == std::vector<int64_t>{0, 3, 4});
  CHECK(kept(recipe, contributions, 3) == std::vector<int64_t>{0, 4});
  const Reduction reduction = reduce(recipe, contributions);
  CHECK(reduction.score_name == "contribution");
  CHECK(reduction.scores[2] == 0.25f);
}

TEST_CASE("contributions never drop the class token, and leave one other", "[core][adapler]") {
  CHECK(kept("adapler(threshold=1)", {0.0f, 0.1f, 0.3f, 0.2f}) == std::vector<int64_t>{0, 2});
  CHECK(kept("adapler", {kNan, kNan, kNan, kNan}) == std::vector<int64_t>{0, 1});
  CHECK(kept("adapler", {kNan, kNan, 1.0f, kNan}) == std::vector<int64_t>{0, 2});
  CHECK(kept("adapler", {1.0f}) == std::vector<int64_t>{0});
}

TEST_CASE("contributions say so where there are none", "[core][adapler]") {
  const SiteFixture fixture({3}, 1, {0.0f, 1.0f, 2.0f});
  const Schedule schedule = Recipe::parse("adapler").compile(4);
  CHECK_REFUSES(schedule.sites().front().reducer->reduce(fixture.input()),
                "expected a model with contribution predictors");
}

TEST_CASE("a contribution predictor costs two small products a token", "[core][adapler][macs]") {
  const BertConfig config;  // 12 blocks of 768
  CHECK(count_predictor_macs(config, 64) == 64 * (768 * 32 + 32));
  CHECK(count_predictor_macs(config, 0) == 0);
}
