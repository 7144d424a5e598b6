#include "tokensieve/core/retention_trace.h"

#include <array>
#include <cmath>
#include <limits>

#include "refuses.h"

using namespace tokensieve;
using Tokens = std::vector<int32_t>;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr Site kFirst{3, SitePosition::after_attention};
constexpr Site kSecond{6, SitePosition::after_attention};

/// One sample of a class row and tokens 0 to 4. First site: tokens 0, 2, 4 stay, 0.5 * token 1 +
/// 0.25 * token 3 are fused. Second site: token 4 stays, token 2 is gone, the fused row and token 0
/// are fused again.
RetentionTrace two_fusions() {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::uniform(1, 6), 1);
  TokenPlan first;
  first.begin_sample(6);
  for (const int row : {0, 1, 3, 5}) first.keep(row);
  first.combine(std::array{Source{2, 0.5f}, Source{4, 0.25f}});
  recorder.record(kFirst, first, std::array{kNan, 0.8f, 0.5f, 0.7f, 0.25f, 0.9f});

  TokenPlan second;
  second.begin_sample(5);
  for (const int row : {0, 3}) second.keep(row);
  second.combine(std::array{Source{4, 0.1f}, Source{1, 0.2f}});
  recorder.record(kSecond, second, std::array{kNan, 0.2f, 0.05f, 0.9f, 0.1f});
  return recorder.take().at(0);
}

}  // namespace

TEST_CASE("a trace says which row each token is in", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  CHECK(trace.num_tokens == 5);
  CHECK(trace.num_prefix_tokens == 1);
  REQUIRE(trace.sites.size() == 2);
  CHECK(trace.sites[0].site == kFirst);
  CHECK(trace.sites[0].rows == 5);
  CHECK(trace.sites[0].row == Tokens{1, 4, 2, 4, 3});
  CHECK(trace.sites[1].rows == 3);
  CHECK(trace.sites[1].row == Tokens{2, 2, -1, 2, 1});
  CHECK(trace.sites[0].origin == Tokens{-1, 0, 2, 4, 1});
  CHECK(trace.sites[1].origin == Tokens{-1, 4, 1});  // of the fused row, which is named first
}

TEST_CASE("weights multiply through two fusions", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  CHECK(trace.sites[0].weight == std::vector<float>{1, 0.5f, 1, 0.25f, 1});
  CHECK(trace.sites[1].weight == std::vector<float>{0.2f, 0.5f * 0.1f, 0.0f, 0.25f * 0.1f, 1.0f});
}

TEST_CASE("a trace tells kept, fused and dropped tokens apart", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  using enum Fate;
  CHECK(trace.sites[0].fate == std::vector<Fate>{kept, fused, kept, fused, kept});
  CHECK(trace.sites[1].fate == std::vector<Fate>{fused, fused, dropped, fused, kept});
}

TEST_CASE("a fused row that is kept later leaves its tokens fused", "[core][trace]") {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::uniform(1, 3), 1);
  TokenPlan fuse;
  fuse.begin_sample(3);
  fuse.keep(0);
  fuse.combine(std::array{Source{1, 0.5f}, Source{2, 0.4f}});
  recorder.record(kFirst, fuse, {});
  recorder.record(kSecond, TokenPlan::identity(RaggedLayout::uniform(1, 2)), {});
  const RetentionTrace trace = recorder.take().at(0);
  CHECK(trace.sites[1].fate == std::vector<Fate>{Fate::fused, Fate::fused});
  CHECK(trace.kept_indices().empty());
}

TEST_CASE("tokens of a row that is their mean are merged, until it is fused", "[core][trace]") {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::uniform(1, 5), 1);
  TokenPlan merge;
  merge.begin_sample(5);
  merge.keep(0);
  merge.keep(1);
  merge.combine(std::array{Source{2, 1.0f / 3.0f}, Source{3, 2.0f / 3.0f}});
  merge.keep(4);
  recorder.record(kFirst, merge, {});
  TokenPlan fuse;
  fuse.begin_sample(4);
  fuse.keep(0);
  fuse.keep(1);
  fuse.combine(std::array{Source{2, 0.5f}, Source{3, 0.2f}});
  recorder.record(kSecond, fuse, {});
  const RetentionTrace trace = recorder.take().at(0);
  using enum Fate;
  CHECK(trace.sites[0].fate == std::vector<Fate>{kept, merged, merged, kept});
  CHECK(trace.sites[0].row == Tokens{1, 2, 2, 3});
  CHECK(trace.sites[1].fate == std::vector<Fate>{kept, fused, fused, fused});
  CHECK(trace.kept_indices(0) == Tokens{0, 3});
}

TEST_CASE("a token that is summed alone is fused: its row is no longer itself", "[core][trace]") {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::uniform(1, 2), 1);
  TokenPlan plan;
  plan.begin_sample(2);
  plan.keep(0);
  plan.combine(std::array{Source{1, 0.3f}});
  recorder.record(kFirst, plan, {});
  CHECK(recorder.take().at(0).sites[0].fate[0] == Fate::fused);
}

TEST_CASE("a trace has the score of a token's row, none once it is dropped", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  CHECK(trace.sites[0].score == std::vector<float>{0.8f, 0.5f, 0.7f, 0.25f, 0.9f});
  CHECK(trace.sites[1].score == std::vector<float>{0.2f, 0.1f, 0.05f, 0.1f, 0.9f});

  TraceRecorder recorder;
  recorder.reset(RaggedLayout::uniform(1, 3), 1);
  TokenPlan drop;
  drop.begin_sample(3);
  drop.keep(0);
  drop.keep(2);
  recorder.record(kFirst, drop, {});
  recorder.record(kSecond, TokenPlan::identity(RaggedLayout::uniform(1, 2)),
                  std::array{kNan, 0.5f});
  const RetentionTrace dropped = recorder.take().at(0);
  CHECK(std::isnan(dropped.sites[0].score[1]));
  CHECK(std::isnan(dropped.sites[1].score[0]));
  CHECK(dropped.sites[1].score[1] == 0.5f);
}

TEST_CASE("kept tokens and the layer at which the others lost their row", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  CHECK(trace.kept_indices(0) == Tokens{0, 2, 4});
  CHECK(trace.kept_indices(1) == Tokens{4});
  CHECK(trace.kept_indices() == Tokens{4});
  CHECK(trace.dropped_at() == std::vector<int>{6, 3, 6, 3, -1});
}

TEST_CASE("without a site every token is kept", "[core][trace]") {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::from_counts(std::array<int64_t, 2>{4, 1}), 1);
  const std::vector<RetentionTrace> traces = recorder.take();
  REQUIRE(traces.size() == 2);
  CHECK(traces[0].kept_indices() == Tokens{0, 1, 2});
  CHECK(traces[0].dropped_at() == std::vector<int>{-1, -1, -1});
  CHECK(traces[1].kept_indices().empty());
  CHECK(recorder.take().empty());
}

TEST_CASE("each sample of a batch has its own trace", "[core][trace]") {
  TraceRecorder recorder;
  recorder.reset(RaggedLayout::from_counts(std::array<int64_t, 2>{3, 4}), 1);
  TokenPlan plan;
  plan.begin_sample(3);
  for (const int row : {0, 2}) plan.keep(row);
  plan.begin_sample(4);
  for (const int row : {0, 1, 3}) plan.keep(row);
  recorder.record(kFirst, plan, std::array{kNan, 0.1f, 0.2f, kNan, 0.3f, 0.4f, 0.5f});
  const std::vector<RetentionTrace> traces = recorder.take();
  CHECK(traces[0].kept_indices() == Tokens{1});
  CHECK(traces[1].kept_indices() == Tokens{0, 2});
  CHECK(traces[1].sites[0].score == std::vector<float>{0.3f, 0.4f, 0.5f});
}

TEST_CASE("a trace refuses sites it does not have", "[core][trace]") {
  const RetentionTrace trace = two_fusions();
  CHECK_REFUSES(trace.kept_indices(2), "expected a site in [-1, 2), got 2");
  CHECK_REFUSES(trace.kept_indices(-2), "got -2");
  CHECK_REFUSES(RetentionTrace{}.kept_indices(0), "expected a site in [-1, 0), got 0");
}

TEST_CASE("a recorder refuses a plan for other rows", "[core][trace]") {
  TraceRecorder recorder;
  CHECK_REFUSES(recorder.reset(RaggedLayout::uniform(1, 1), 2),
                "expected at least the 2 prefix rows");
  recorder.reset(RaggedLayout::uniform(1, 3), 1);
  CHECK_REFUSES(recorder.record(kFirst, TokenPlan::identity(RaggedLayout::uniform(1, 3)), {}, "x",
                                std::array{1}),
                "expected 3 draws or none, got 1");
  CHECK_REFUSES(recorder.record(kFirst, TokenPlan::identity(RaggedLayout::uniform(1, 4)), {}),
                "expected a plan for 1 samples with 3 rows, got one for 1 with 4");
  CHECK_REFUSES(
      recorder.record(kFirst, TokenPlan::identity(RaggedLayout::uniform(1, 3)), std::array{0.5f}),
      "expected 3 scores or none, got 1");
}

TEST_CASE("samples that exit end their traces, and the others go on", "[core][retention_trace]") {
  const RaggedLayout layout = RaggedLayout::from_counts(std::vector<int64_t>{3, 2, 4});
  TraceRecorder recorder;
  recorder.reset(layout, 1);
  recorder.record({0, SitePosition::after_block}, TokenPlan::identity(layout), {});
  recorder.select(std::vector<int64_t>{0, 2}, 0);
  const RaggedLayout rest = RaggedLayout::from_counts(std::vector<int64_t>{3, 4});
  recorder.record({1, SitePosition::after_block}, TokenPlan::identity(rest), {});
  recorder.select(std::vector<int64_t>{1}, 1);
  CHECK_REFUSES(recorder.select(std::vector<int64_t>{1}, 2), "ascending samples");
  const auto traces = recorder.take();
  REQUIRE(traces.size() == 3);
  CHECK(traces[0].exit_layer == 1);
  CHECK(traces[1].exit_layer == 0);
  CHECK(traces[2].exit_layer == -1);
  CHECK(traces[0].sites.size() == 2);
  CHECK(traces[1].sites.size() == 1);
  CHECK(traces[2].sites.size() == 2);
  CHECK(traces[2].sites[1].row.size() == 3);
}
