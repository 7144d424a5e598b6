#include "tokensieve/core/token_predictor.h"

#include <cmath>
#include <limits>

#include "refuses.h"
#include "site_fixture.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/recipe.h"

using namespace tokensieve;
using test::rows_of;
using test::SiteFixture;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Says the same at every site.
struct GivenPredictor final : TokenPredictor {
  explicit GivenPredictor(std::vector<float> values_) : values(std::move(values_)) {}
  void predict(const SiteInput& input, std::span<float> log_keep) override {
    asked_at = input.site_index;
    std::copy(values.begin(), values.end(), log_keep.begin());
  }
  std::vector<float> values;
  int asked_at = -1;
};

Reduction reduce(const char* recipe, SiteFixture& fixture, const std::vector<float>& log_keep) {
  const Schedule schedule = Recipe::parse(recipe).compile(12);
  GivenPredictor predictor(log_keep);
  SiteInput input = fixture.input();
  input.predictor = &predictor;
  const Reducer& reducer = *schedule.sites().front().reducer;
  CHECK(reducer.learned_score() == LearnedScore::keep_probability);
  CHECK(reducer.attention_request() == AttentionRequest::none);
  Reduction reduction = reducer.reduce(input);
  CHECK(predictor.asked_at == fixture.site_index);
  return reduction;
}

std::vector<int64_t> kept(const char* recipe, const std::vector<float>& log_keep) {
  SiteFixture fixture({static_cast<int64_t>(log_keep.size())}, 1, log_keep);
  return rows_of(reduce(recipe, fixture, log_keep).plan, 0);
}

}  // namespace

TEST_CASE("a threshold and the trace see probabilities where the predictor says logarithms",
          "[core][predictor]") {
  const std::vector<float> logs = {kNan, std::log(0.9f), std::log(0.5f), std::log(0.49f), -40.0f};
  SiteFixture fixture({5}, 1, logs);
  const Reduction reduction = reduce("dynamicvit(threshold=0.5)", fixture, logs);
  CHECK(rows_of(reduction.plan, 0) == std::vector<int64_t>{0, 1, 2});
  CHECK(reduction.score_name == "keep probability");
  CHECK(std::isnan(reduction.scores[0]));
  CHECK(reduction.scores[1] == Approx(0.9));
  CHECK(reduction.scores[4] == Approx(std::exp(-40.0)));
}

TEST_CASE("probabilities that round to 1 or to 0 are ranked by their logarithms",
          "[core][predictor]") {
  // All of these are 1 as float32, and all of those 0.
  CHECK(kept("dynamicvit(keep=0.5)", {0.0f, -3e-9f, -1e-9f, -2e-9f, -4e-9f}) ==
        std::vector<int64_t>{0, 2, 3});
  CHECK(kept("dynamicvit(keep=0.5)", {0.0f, -203.0f, -201.0f, -202.0f, -204.0f}) ==
        std::vector<int64_t>{0, 2, 3});
  CHECK(kept("dynamicvit(threshold=0.5)", {0.0f, -203.0f, -201.0f, -202.0f}) ==
        std::vector<int64_t>{0, 2});  // at least the best
  CHECK(kept("score=predictor | select=mass(0.6) | drop=gone | at=before:3",
             {0.0f, -3e-9f, -1e-9f, -2e-9f}) == std::vector<int64_t>{0, 2, 3});
}

TEST_CASE("a predictor that says NaN drops neither the class token nor every patch",
          "[core][predictor]") {
  const char* recipe = GENERATE("dynamicvit(keep=0.1)", "dynamicvit(threshold=0.5)");
  CHECK(kept(recipe, {kNan, kNan, kNan, kNan}) == std::vector<int64_t>{0, 1});
  CHECK(kept(recipe, {kNan, kNan, -5.0f, kNan}) == std::vector<int64_t>{0, 2});
}

TEST_CASE("DynamicViT keeps floor(196 rho^s) patches after site s", "[core][predictor]") {
  const auto [keep, counts] = GENERATE(table<const char*, std::vector<int64_t>>({
      {"0.9", {176, 158, 142}},
      {"0.8", {156, 125, 100}},
      {"0.7", {137, 96, 67}},
      {"0.6", {117, 70, 42}},
      {"0.5", {98, 49, 24}},
      {"0.9/0.8/0.5", {176, 141, 70}},
  }));
  const Schedule schedule = Recipe::parse(cat("dynamicvit(keep=", keep, ")")).compile(12);
  int64_t present = 196;
  for (const ScheduledSite& site : schedule.sites()) {
    const std::vector<float> logs(static_cast<size_t>(present + 1), -1.0f);
    SiteFixture fixture({present + 1}, 1, logs);
    fixture.input_counts = {196};
    fixture.site_index = site.index;
    GivenPredictor predictor(logs);
    SiteInput input = fixture.input();
    input.predictor = &predictor;
    present = site.reducer->reduce(input).plan.output_layout().rows() - 1;
    CHECK(present == counts[static_cast<size_t>(site.index)]);
  }
}

TEST_CASE("a schedule knows the sites it leaves out", "[core][predictor][schedule]") {
  CHECK(Recipe::parse("dynamicvit(keep=1/0.7/1)").compile(12).all_sites().size() == 3);
  CHECK(Recipe::parse("dynamicvit(keep=1/0.7/1)").compile(12).sites().size() == 2);
  CHECK(Recipe::parse("dynamicvit(keep=1)").compile(12).all_sites().size() == 3);
  CHECK(Schedule().all_sites().size() == 0);
}

TEST_CASE("a score that needs a predictor says so where there is none", "[core][predictor]") {
  const SiteFixture fixture({3}, 1, {0.0f, -1.0f, -2.0f});
  const Schedule schedule = Recipe::parse("dynamicvit").compile(12);
  CHECK_REFUSES(schedule.sites().front().reducer->reduce(fixture.input()),
                "expected a model with predictors");
}
