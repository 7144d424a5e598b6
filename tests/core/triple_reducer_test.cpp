#include "tokensieve/core/triple_reducer.h"

#include <cmath>
#include <limits>

#include "refuses.h"
#include "site_fixture.h"

using namespace tokensieve;
using test::rows_of;
using test::SiteFixture;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::shared_ptr<const Reducer> evit(double keep, std::unique_ptr<DropPolicy> policy) {
  return triple_reducer(class_attention_scorer(), top_k_selector({keep}), std::move(policy));
}

/// Any positions, right or wrong.
class ThesePositions final : public Selector {
 public:
  explicit ThesePositions(std::vector<int32_t> positions) : positions_(std::move(positions)) {}
  bool keeps_everything(int) const override { return false; }
  std::vector<int32_t> select(const Candidates&) const override { return positions_; }

 private:
  std::vector<int32_t> positions_;
};

}  // namespace

TEST_CASE("the triple keeps the best rows in their order after the prefix", "[core][triple]") {
  const SiteFixture fixture({5}, 1, {9.0f, 0.1f, 0.4f, 0.2f, 0.3f});
  const TokenPlan plan = evit(0.5, gone_policy())->reduce(fixture.input()).plan;
  CHECK(rows_of(plan, 0) == std::vector<int64_t>{0, 2, 4});
}

TEST_CASE("prefix rows stay whatever their score", "[core][triple]") {
  const int prefix = GENERATE(0, 1, 2, 5);
  const float score = GENERATE(-1.0f, 100.0f, kNan);
  std::vector<float> scores(static_cast<size_t>(prefix), score);
  for (const float token : {0.1f, 0.4f, 0.2f, 0.3f}) scores.push_back(token);
  const SiteFixture fixture({prefix + 4}, prefix, scores);
  const auto reducer =
      triple_reducer(received_attention_scorer(), top_k_selector({0.5}), gone_policy());

  const Reduction reduction = reducer->reduce(fixture.input());
  std::vector<int64_t> expected;
  for (int row = 0; row < prefix; ++row) expected.push_back(row);
  expected.push_back(prefix + 1);
  expected.push_back(prefix + 3);
  CHECK(rows_of(reduction.plan, 0) == expected);
  CHECK_NOTHROW(reduction.plan.validate(fixture.layout, prefix));
  for (int row = 0; row < prefix; ++row) CHECK(std::isnan(reduction.scores[row]));
  CHECK(reduction.scores[static_cast<size_t>(prefix)] == 0.1f);
}

TEST_CASE("fused rows become one more row, weighted by their scores", "[core][triple]") {
  const SiteFixture fixture({5}, 1, {9.0f, 0.1f, 0.4f, 0.2f, 0.3f});
  const TokenPlan plan = evit(0.5, fuse_policy())->reduce(fixture.input()).plan;
  CHECK(rows_of(plan, 0) == std::vector<int64_t>{0, 2, 4, -1});
  const auto sources = plan.sources(3);
  CHECK(std::vector<Source>(sources.begin(), sources.end()) ==
        std::vector<Source>{{1, 0.1f}, {3, 0.2f}});
}

TEST_CASE("a dropped score that is not finite weighs nothing", "[core][triple]") {
  const SiteFixture fixture({4}, 1, {9.0f, kNan, 0.4f, -std::numeric_limits<float>::infinity()});
  const TokenPlan plan = evit(0.3, fuse_policy())->reduce(fixture.input()).plan;
  CHECK(plan.sources(2)[0] == Source{1, 0.0f});
  CHECK(plan.sources(2)[1] == Source{3, 0.0f});
  CHECK_NOTHROW(plan.validate(fixture.layout, 1));
}

TEST_CASE("swapping two dropped rows changes nothing but their place", "[core][triple]") {
  const SiteFixture a({4}, 1, {0, 0.1f, 0.2f, 0.9f}), b({4}, 1, {0, 0.2f, 0.1f, 0.9f});
  const auto reducer = evit(0.3, fuse_policy());
  const TokenPlan plan_a = reducer->reduce(a.input()).plan,
                  plan_b = reducer->reduce(b.input()).plan;
  const std::vector<float> rows_a = {0, 5, 7, 1}, rows_b = {0, 7, 5, 1};
  std::vector<float> out_a(3), out_b(3);
  plan_a.apply({rows_a.data(), 4, 1}, {out_a.data(), 3, 1});
  plan_b.apply({rows_b.data(), 4, 1}, {out_b.data(), 3, 1});
  CHECK(out_a[2] == Approx(0.1 * 5 + 0.2 * 7));
  CHECK(out_a[2] == Approx(out_b[2]));
}

TEST_CASE("when nothing is dropped the plan is the identity", "[core][triple]") {
  const SiteFixture fixture({3, 4}, 1, std::vector<float>(7, 0.5f));
  const auto policy = GENERATE(0, 1);
  const auto reducer = evit(0.9, policy == 0 ? gone_policy() : fuse_policy());
  CHECK_FALSE(reducer->keeps_everything(0));
  CHECK(reducer->reduce(fixture.input()).plan.is_identity());
}

TEST_CASE("EViT's lengths at keep 0.7", "[core][triple]") {
  const bool fused = GENERATE(true, false);
  const auto reducer = evit(0.7, fused ? fuse_policy() : gone_policy());
  std::vector<int64_t> lengths;
  for (int64_t rows = 197, site = 0; site < 3; ++site) {
    const SiteFixture fixture({rows}, 1, std::vector<float>(static_cast<size_t>(rows), 0.01f));
    rows = reducer->reduce(fixture.input()).plan.output_layout().rows();
    lengths.push_back(rows);
  }
  CHECK(lengths ==
        (fused ? std::vector<int64_t>{140, 100, 72} : std::vector<int64_t>{139, 98, 69}));
}

TEST_CASE("a threshold gives each sample of a batch what it gets alone", "[core][triple]") {
  const auto reducer =
      triple_reducer(class_attention_scorer(), threshold_selector({0.5}), fuse_policy());
  const SiteFixture batch({4, 3}, 1, {0, 0.6f, 0.7f, 0.1f, 0, 0.2f, 0.3f});
  const SiteFixture first({4}, 1, {0, 0.6f, 0.7f, 0.1f}), second({3}, 1, {0, 0.2f, 0.3f});
  const TokenPlan plan = reducer->reduce(batch.input()).plan;
  CHECK(rows_of(plan, 0) == rows_of(reducer->reduce(first.input()).plan, 0));
  CHECK(rows_of(plan, 1) == rows_of(reducer->reduce(second.input()).plan, 0));
  CHECK(plan.output_layout().count(0) == 4);
  CHECK(plan.output_layout().count(1) == 3);
}

TEST_CASE("samples without prunable rows keep their prefix", "[core][triple]") {
  const SiteFixture fixture({1, 3, 1}, 1, std::vector<float>(5, 0.5f));
  const TokenPlan plan = evit(0.5, fuse_policy())->reduce(fixture.input()).plan;
  CHECK(rows_of(plan, 0) == std::vector<int64_t>{0});
  CHECK(rows_of(plan, 1) == std::vector<int64_t>{0, 1, -1});
  CHECK(rows_of(plan, 2) == std::vector<int64_t>{0});
}

TEST_CASE("an empty batch gives an empty plan", "[core][triple]") {
  const SiteFixture fixture({}, 1, {});
  CHECK(evit(0.5, fuse_policy())->reduce(fixture.input()).plan.batch() == 0);
}

TEST_CASE("the triple asks for what its scorer asks for and skips what its selector skips",
          "[core][triple]") {
  const auto reducer =
      triple_reducer(received_attention_scorer(), top_k_selector({0.9, 1.0}), gone_policy());
  CHECK(reducer->attention_request() == AttentionRequest::column_mean);
  CHECK_FALSE(reducer->keeps_everything(0));
  CHECK(reducer->keeps_everything(1));
}

TEST_CASE("only the policy that sums is no gather", "[core][triple]") {
  CHECK(gone_policy()->is_gather());
  CHECK_FALSE(fuse_policy()->is_gather());
}

TEST_CASE("the triple refuses missing parts and broken inputs", "[core][triple]") {
  CHECK_REFUSES(triple_reducer(nullptr, top_k_selector({0.5}), gone_policy()), "got null");
  CHECK_REFUSES(triple_reducer(random_scorer(0), nullptr, gone_policy()), "got null");
  CHECK_REFUSES(triple_reducer(random_scorer(0), top_k_selector({0.5}), nullptr), "got null");
  SiteFixture fixture({4, 4}, 1, std::vector<float>(8, 0.5f));
  const auto reducer = evit(0.5, gone_policy());
  fixture.input_counts.pop_back();
  CHECK_REFUSES(reducer->reduce(fixture.input()), "expected 2 input counts, got 1");
  fixture.input_counts.push_back(3);
  fixture.num_prefix_tokens = 5;
  CHECK_REFUSES(reducer->reduce(fixture.input()),
                "expected at least the 5 prefix rows in sample 0, got 4");
}

TEST_CASE("the triple refuses positions that a sample does not have", "[core][triple]") {
  const SiteFixture fixture({4}, 1, std::vector<float>(4, 0.5f));
  const auto reduce = [&](std::vector<int32_t> positions) {
    auto selector = std::make_unique<ThesePositions>(std::move(positions));
    return triple_reducer(class_attention_scorer(), std::move(selector), fuse_policy())
        ->reduce(fixture.input());
  };
  CHECK(rows_of(reduce({0, 2}).plan, 0) == std::vector<int64_t>{0, 1, 3, -1});
  for (const auto& wrong : {std::vector<int32_t>{3}, {-1}, {1, 0}, {1, 1}, {0, 1, 2, 3}}) {
    CHECK_REFUSES(reduce(wrong), "positions to ascend from 0, below 3");
  }
}
