#include "tokensieve/core/scorer.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "refuses.h"
#include "site_fixture.h"

using namespace tokensieve;
using test::SiteFixture;

namespace {

std::vector<float> scores_of(const Scorer& scorer, const SiteFixture& fixture) {
  std::vector<float> scores(static_cast<size_t>(fixture.layout.rows()));
  scorer.score(fixture.input(), scores);
  return scores;
}

std::vector<float> random_scores(const SiteFixture& fixture, uint64_t seed = 7) {
  return scores_of(*random_scorer(seed), fixture);
}

}  // namespace

TEST_CASE("attention scorers ask for one column and hand it on", "[core][scorer]") {
  const SiteFixture fixture({3, 2}, 1, {0.1f, 0.2f, 0.3f, 0.4f, 0.5f});
  CHECK(class_attention_scorer()->attention_request() == AttentionRequest::class_row);
  CHECK(received_attention_scorer()->attention_request() == AttentionRequest::column_mean);
  CHECK(scores_of(*class_attention_scorer(), fixture) == fixture.values);
  CHECK(scores_of(*received_attention_scorer(), fixture) == fixture.values);
}

TEST_CASE("attention scorers refuse an attention that is not there", "[core][scorer]") {
  SiteFixture fixture({3}, 1, {0.1f, 0.2f, 0.3f});
  fixture.attention = {};
  CHECK_REFUSES(scores_of(*class_attention_scorer(), fixture),
                "expected a class row of 3 values, got 0");
  CHECK_REFUSES(scores_of(*received_attention_scorer(), fixture),
                "expected a column mean of 3 values, got 0");
}

TEST_CASE("class attention refuses a network without prefix tokens", "[core][scorer]") {
  const SiteFixture fixture({3}, 0, {0.1f, 0.2f, 0.3f});
  CHECK_REFUSES(scores_of(*class_attention_scorer(), fixture), "use score=received_attention");
}

TEST_CASE("AS-ViT weighs heads by the length of their outputs", "[core][scorer]") {
  SiteFixture fixture({3}, 1, {0, 0, 0});
  const std::vector<float> attention = {.5f, .3f, .2f, .1f, .6f, .3f};  // [2 heads, 3 rows]
  const std::vector<float> norms = {1, 3, 0, 1, 1, 0};
  fixture.attention.class_row_per_head = {attention.data(), 2, 3};
  fixture.attention.output_norm = {norms.data(), 2, 3};
  const auto scores = scores_of(*weighted_class_attention_scorer(), fixture);
  CHECK(scores[1] == Approx(.3 * .75 + .6 * .25));
  CHECK(scores[2] == 0.0f);  // a row without any output
  CHECK(weighted_class_attention_scorer()->attention_request() ==
        (AttentionRequest::class_row_per_head | AttentionRequest::output_norm));
  fixture.attention.output_norm = {};
  CHECK_REFUSES(scores_of(*weighted_class_attention_scorer(), fixture),
                "[weighted_cls_attention] expected class rows and output norms of 3 values");
}

TEST_CASE("random scores need nothing of the attention", "[core][scorer]") {
  CHECK(random_scorer(1)->attention_request() == AttentionRequest::none);
}

TEST_CASE("random scores are spread evenly over [0, 1)", "[core][scorer]") {
  const SiteFixture fixture({20001}, 1, {});
  std::vector<float> scores = random_scores(fixture);
  std::sort(scores.begin(), scores.end());
  CHECK(scores.front() >= 0.0f);
  CHECK(scores.back() < 1.0f);
  float gap = 0.0f;  // the Kolmogorov-Smirnov distance; 1.95 / sqrt(n) is passed once in 1000 draws
  for (size_t i = 0; i < scores.size(); ++i) {
    const float expected = static_cast<float>(i) / static_cast<float>(scores.size());
    gap = std::max(gap, std::abs(scores[i] - expected));
  }
  CHECK(gap < 1.95f / std::sqrt(20001.0f));
}

TEST_CASE("random scores depend on seed, sample, site and token", "[core][scorer]") {
  SiteFixture fixture({4, 4}, 1, {});
  const std::vector<float> scores = random_scores(fixture);
  CHECK(std::set<float>(scores.begin(), scores.end()).size() == 8);
  CHECK(random_scores(fixture) == scores);
  CHECK(random_scores(fixture, 8) != scores);
  fixture.site_index = 1;
  CHECK(random_scores(fixture) != scores);
}

TEST_CASE("random scores do not depend on the order or size of the batch", "[core][scorer]") {
  SiteFixture batch({4, 3}, 1, {}), swapped({3, 4}, 1, {}), alone({3}, 1, {});
  std::swap(swapped.sample_keys[0], swapped.sample_keys[1]);
  alone.sample_keys[0] = batch.sample_keys[1];
  const std::vector<float> scores = random_scores(batch);
  std::vector<float> rotated = random_scores(swapped);
  std::rotate(rotated.begin(), rotated.begin() + 3, rotated.end());
  CHECK(rotated == scores);
  CHECK(random_scores(alone) == std::vector<float>(scores.begin() + 4, scores.end()));
}

TEST_CASE("a token keeps its random score wherever its row is", "[core][scorer]") {
  SiteFixture fixture({5}, 1, {});
  const std::vector<float> scores = random_scores(fixture);
  TokenPlan plan;
  plan.begin_sample(5);
  for (const int row : {0, 4, 2}) plan.keep(row);
  fixture.columns.apply(plan);
  fixture.layout = plan.output_layout();
  CHECK(random_scores(fixture) == std::vector<float>{scores[0], scores[4], scores[2]});
}

TEST_CASE("random scores refuse an input without sample keys or columns", "[core][scorer]") {
  SiteFixture fixture({3, 3}, 1, {});
  std::vector<float> scores(6);
  fixture.sample_keys.pop_back();
  CHECK_REFUSES(random_scorer(1)->score(fixture.input(), scores), "expected 2 sample keys, got 1");
  fixture.sample_keys.push_back(1);
  fixture.columns = {};
  CHECK_REFUSES(random_scorer(1)->score(fixture.input(), scores),
                "expected columns of 6 rows, got 0");
}

TEST_CASE("attention received is divided by the rows there are, or by a reference length",
          "[core][scorer]") {
  // Two texts of 3 and 2 rows; what a column received is a mean over the queries of its text.
  SiteFixture fixture({3, 2}, 1, {0.5f, 0.25f, 0.25f, 0.6f, 0.4f});
  CHECK(scores_of(*received_attention_scorer(), fixture) == fixture.values);
  CHECK_REFUSES(scores_of(*received_attention_scorer(10), fixture), "the queries of 2 samples");
  const std::vector<int64_t> queries = {3, 4};  // two rows of the second have left since
  fixture.attention.query_counts = queries;
  const std::vector<float> expected = {0.15f, 0.075f, 0.075f, 0.24f, 0.16f};
  const std::vector<float> scores = scores_of(*received_attention_scorer(10), fixture);
  for (size_t i = 0; i < expected.size(); ++i) CHECK(scores[i] == Approx(expected[i]));
  CHECK_REFUSES(received_attention_scorer(-1), "expected n_ref of at least 0");
}
