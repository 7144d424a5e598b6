#include "tokensieve/core/tome.h"

#include <cmath>
#include <limits>

#include "refuses.h"
#include "site_fixture.h"

using namespace tokensieve;
using test::SiteFixture;

namespace {

/// A site whose rows have these keys, `[rows, dim]`.
struct Keys : SiteFixture {
  Keys(std::vector<int64_t> counts, int prefix, std::vector<float> keys_, int64_t dim)
      : SiteFixture(counts, prefix, {}), keys(std::move(keys_)) {
    attention.mean_key = {keys.data(), static_cast<int64_t>(keys.size()) / dim, dim};
  }
  std::vector<float> keys;
};

/// What becomes of the values 0, 1, 2, ... of the rows.
std::vector<float> merged(const TokenPlan& plan) {
  std::vector<float> values(static_cast<size_t>(plan.input_layout().rows()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::vector<float> out(static_cast<size_t>(plan.output_layout().rows()));
  plan.apply({values.data(), plan.input_layout().rows(), 1},
             {out.data(), plan.output_layout().rows(), 1});
  return out;
}

std::vector<float> random_keys(int64_t count) {
  std::vector<float> keys;
  for (int64_t i = 0; i < count; ++i) keys.push_back(std::sin(static_cast<float>(i * i + 3 * i)));
  return keys;
}

}  // namespace

TEST_CASE("ToMe merges the most similar pairs, weighted by size", "[core][tome]") {
  // The worked example: 4 merges into 3, 2 into 1.
  Keys site({6}, 1, {1, 0, .9f, .1f, .8f, .6f, 0, 1, .1f, .9f, 1, .05f}, 2);
  const Reduction first = tome_reducer({2})->reduce(site.input());
  CHECK_NOTHROW(first.plan.validate(site.layout, 1));
  CHECK(merged(first.plan) == std::vector<float>{0, 1.5f, 3.5f, 5});
  CHECK(first.scores[4] == Approx(.99388).epsilon(1e-5));
  CHECK(first.scores[2] == Approx(.86137).epsilon(1e-5));
  CHECK(std::isnan(first.scores[0]));
  CHECK(std::isnan(first.scores[1]));
  site.columns.apply(first.plan);
  CHECK(std::vector<float>(site.columns.size().begin(), site.columns.size().end()) ==
        std::vector<float>{1, 2, 2, 1});

  // A second site: row 2 (two tokens) joins row 1 (two tokens) or row 3 (one token).
  site.layout = first.plan.output_layout();
  site.keys = {1, 0, 0, 1, .9f, .1f, 1, 0};
  site.attention.mean_key = {site.keys.data(), 4, 2};
  const Reduction second = tome_reducer({1})->reduce(site.input());
  CHECK(merged(second.plan)[2] == Approx((2 * 2 + 3 * 1) / 3.0));
  site.columns.apply(second.plan);
  CHECK(std::vector<float>(site.columns.size().begin(), site.columns.size().end()) ==
        std::vector<float>{1, 2, 3});
}

TEST_CASE("at most half of the rows after the prefix leave at a site", "[core][tome]") {
  const int prefix = GENERATE(0, 1, 2, 5);
  const int64_t count = GENERATE(5, 6, 11, 12);
  Keys site({count, count}, prefix, random_keys(2 * count * 3), 3);
  const TokenPlan plan = tome_reducer({1000})->reduce(site.input()).plan;
  CHECK_NOTHROW(plan.validate(site.layout, prefix));
  const int64_t most = (count - prefix) / 2;
  // Even rows after the prefix may be fewer than half, and need an odd row to go to.
  CHECK(plan.output_layout().count(0) >= count - most);
  if (prefix == 1) CHECK(plan.output_layout().count(0) == count - most);
  site.columns.apply(plan);
  float sizes = 0;
  for (const float size : site.columns.size()) sizes += size;
  CHECK(sizes == static_cast<float>(2 * count));
}

TEST_CASE("ToMe's lengths are those that were published", "[core][tome]") {
  const auto [r, lengths] = GENERATE(table<int64_t, std::vector<int64_t>>(
      {{13, {184, 171, 158, 145, 132, 119, 106, 93, 80, 67, 54, 41}},
       {16, {181, 165, 149, 133, 117, 101, 85, 69, 53, 37, 21, 11}}}));
  int64_t count = 197;
  for (const int64_t length : lengths) {
    Keys site({count}, 1, random_keys(count * 4), 4);
    count = tome_reducer({r})->reduce(site.input()).plan.output_layout().rows();
    CHECK(count == length);
  }
}

TEST_CASE("prefix rows neither merge nor are merged into", "[core][tome]") {
  // Rows 2 and 3 are the same as the prefix rows 0 and 1.
  Keys site({6}, 2, {1, 0, 0, 1, 1, 0, 0, 1, 0, 1, .6f, .8f}, 2);
  const TokenPlan plan = tome_reducer({2})->reduce(site.input()).plan;
  CHECK_NOTHROW(plan.validate(site.layout, 2));
  CHECK(merged(plan) == std::vector<float>{0, 1, 3.5f, 3.5f});  // 4 into 3, 2 into 5
}

TEST_CASE("keys that are no numbers merge with nothing", "[core][tome]") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  Keys site({5}, 1, {1, 0, kNan, 1, 1, 0, 0, 0, .5f, 1}, 2);
  const TokenPlan plan = tome_reducer({2})->reduce(site.input()).plan;
  CHECK_NOTHROW(plan.validate(site.layout, 1));
  CHECK(plan.output_layout().rows() == 5);
}

TEST_CASE("ToMe asks for keys and says how attention goes on", "[core][tome]") {
  CHECK(tome_reducer({13})->attention_request() == AttentionRequest::mean_key);
  CHECK(tome_reducer({13})->proportional_attention());
  CHECK_FALSE(tome_reducer({13})->is_gather());
  CHECK_FALSE(tome_reducer({13}, false)->proportional_attention());
  CHECK_FALSE(tome_reducer({13})->keeps_everything(11));
  CHECK(tome_reducer({0})->keeps_everything(0));
  CHECK(tome_reducer({3, 0})->keeps_everything(1));
  CHECK(tome_reducer({3, 2})->keeps_everything(2));  // a short list ends in zeros
}

TEST_CASE("ToMe's schedule falls, stays or rises around r", "[core][tome]") {
  CHECK(tome_schedule(13, 0, 3) == std::vector<int64_t>{13, 13, 13});
  CHECK(tome_schedule(8, -1, 5) == std::vector<int64_t>{16, 12, 8, 4, 0});
  CHECK(tome_schedule(8, 1, 5) == std::vector<int64_t>{0, 4, 8, 12, 16});
  CHECK(tome_schedule(13, -1, 12) ==
        std::vector<int64_t>{26, 23, 21, 18, 16, 14, 11, 9, 7, 4, 2, 0});
  CHECK(tome_schedule(13, -1, 1) == std::vector<int64_t>{13});
}

TEST_CASE("ToMe refuses what makes no sense", "[core][tome]") {
  CHECK_REFUSES(tome_reducer({}), "expected r, the rows to merge at a site, got none");
  CHECK_REFUSES(tome_reducer({3, -1}), "expected r of 0 or more, got -1");
  CHECK_REFUSES(tome_schedule(-1, 0, 3), "got -1, 0 and 3");
  CHECK_REFUSES(tome_schedule(1, 1.5, 3), "an inflection in [-1, 1]");
  CHECK_REFUSES(tome_schedule(1, 0, 0), "and a site");
  CHECK_REFUSES(tome_schedule(int64_t{1} << 33, 0, 3), "r from 0 to 2^32");
  SiteFixture site({3}, 1, {0, 0, 0});
  CHECK_REFUSES(tome_reducer({1})->reduce(site.input()), "expected keys of 3 rows, got 0");
  Keys small({2}, 1, {1, 0, 0, 1}, 2);
  small.num_prefix_tokens = 3;
  CHECK_REFUSES(tome_reducer({1})->reduce(small.input()), "at least the 3 prefix rows in sample 0");
  small.columns.reset(RaggedLayout::uniform(1, 1), 1);
  CHECK_REFUSES(tome_reducer({1})->reduce(small.input()), "expected sizes of 2 rows, got 1");
}
