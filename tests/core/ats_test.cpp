#include "tokensieve/core/ats.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "refuses.h"
#include "site_fixture.h"

using namespace tokensieve;
using test::rows_of;
using test::SiteFixture;

namespace {

/// One sample with a class row in front; scores are those of the patches.
struct Scored : SiteFixture {
  explicit Scored(const std::vector<std::vector<float>>& samples)
      : SiteFixture(counts(samples), 1, joined(samples)), ones(values.size(), 1.0f) {
    attention.value_norm = ones;
  }
  static std::vector<int64_t> counts(const std::vector<std::vector<float>>& samples) {
    std::vector<int64_t> result;
    for (const auto& scores : samples) result.push_back(static_cast<int64_t>(scores.size()) + 1);
    return result;
  }
  static std::vector<float> joined(const std::vector<std::vector<float>>& samples) {
    std::vector<float> result;
    for (const auto& scores : samples) {
      result.push_back(0.5f);
      result.insert(result.end(), scores.begin(), scores.end());
    }
    return result;
  }
  std::vector<float> ones;
};

using Scores = std::vector<float>;

std::vector<int64_t> sampled(const Scored& site, double keep = 1.0, int64_t sample = 0) {
  const TokenPlan plan = ats_reducer({keep})->reduce(site.input()).plan;
  CHECK_NOTHROW(plan.validate(site.layout, 1));
  CHECK(plan.is_gather());
  return rows_of(plan, sample);
}

std::vector<int64_t> sampled(const Scores& scores, double keep = 1.0) {
  return sampled(Scored(std::vector<Scores>{scores}), keep);
}

}  // namespace

TEST_CASE("ATS samples the worked example", "[core][ats]") {
  // Tokens 1, 2, 3 and 4 after the class row: the lowest score is not drawn.
  CHECK(sampled(Scores{.05f, .4f, .1f, .3f, .15f}) == std::vector<int64_t>{0, 2, 3, 4, 5});
}

TEST_CASE("ATS says how often it drew each row", "[core][ats]") {
  const Scored site(std::vector<Scores>{{.05f, .4f, .1f, .3f, .15f}});
  const Reduction reduction = ats_reducer({1.0})->reduce(site.input());
  // Eight numbers; the two high scores span more of the sums and are drawn more often.
  REQUIRE(reduction.draws.size() == 6);
  CHECK(std::accumulate(reduction.draws.begin(), reduction.draws.end(), 0) == 8);
  CHECK(reduction.draws[0] == 0);  // the class row
  CHECK(reduction.draws[1] == 0);
  CHECK(reduction.draws[2] > reduction.draws[3]);
  for (const int64_t row : rows_of(reduction.plan, 0)) {
    CHECK((row == 0 || reduction.draws[static_cast<size_t>(row)] > 0));
  }
}

TEST_CASE("ATS keeps nearly all of even scores and few where one rules", "[core][ats]") {
  CHECK(sampled(Scores(50, 0.02f)).size() >= 50);
  std::vector<float> peaked(50, 1e-4f);
  peaked[20] = 1.0f;
  const auto few = sampled(peaked);
  CHECK(few.size() <= 4);
  CHECK(std::ranges::count(few, 21) == 1);
}

TEST_CASE("ATS draws in proportion to keep", "[core][ats]") {
  std::vector<float> scores;
  for (int i = 0; i < 100; ++i) scores.push_back(0.01f + 0.001f * static_cast<float>(i % 7));
  CHECK(sampled(scores, 0.3).size() <= 31);
  CHECK(sampled(scores, 0.3).size() >= 28);
  CHECK(sampled(scores, 0.001).size() <= 9);  // eight numbers at least
  CHECK(sampled(scores, 0.001).size() >= 2);
  CHECK(std::ranges::count(sampled(Scores{.05f, .4f, .1f, .3f, .15f}, 0.2), 2) == 1);
}

TEST_CASE("ATS does not depend on the order of the rows or of the batch", "[core][ats]") {
  const std::vector<float> scores = {.05f, .4f, .1f, .3f, .15f, .22f, .01f};
  std::vector<float> reversed(scores.rbegin(), scores.rend());
  auto rows = sampled(scores);
  auto mirrored = sampled(reversed);
  for (int64_t& row : mirrored) row = row == 0 ? 0 : 8 - row;
  std::ranges::sort(mirrored);
  CHECK(rows == mirrored);
  CHECK(sampled(Scored(std::vector<Scores>{reversed, scores}), 1.0, 1) == rows);
}

TEST_CASE("ATS survives scores that say nothing", "[core][ats]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  CHECK(sampled(Scores{0, 0, 0}) == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(sampled(Scores{kNan, kNan}) == std::vector<int64_t>{0, 1, 2});
  CHECK(sampled(Scores{kNan, 1, 1}) == std::vector<int64_t>{0, 2, 3});
  CHECK(sampled(Scores{1}) == std::vector<int64_t>{0, 1});
  CHECK(sampled(Scores{}) == std::vector<int64_t>{0});
}

TEST_CASE("ATS refuses rates and attentions that do not fit", "[core][ats]") {
  CHECK_REFUSES(ats_reducer({}), "[ats] expected keep");
  CHECK_REFUSES(ats_reducer({1.5}), "[ats] expected keep in (0, 1], got 1.5");
  SiteFixture site({3}, 1, {0, 0, 0});
  CHECK_REFUSES(ats_reducer({1})->reduce(site.input()),
                "[ats] expected a class row and value norms of 3 values, got 3 and 0");
  Scored scored(std::vector<Scores>{{.1f, .2f}});
  scored.num_prefix_tokens = 4;
  CHECK_REFUSES(ats_reducer({1})->reduce(scored.input()), "at least the 4 prefix rows in sample 0");
  scored.input_counts.clear();
  CHECK_REFUSES(ats_reducer({1})->reduce(scored.input()), "expected 1 input counts, got 0");
}
