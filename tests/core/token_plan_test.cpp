#include "tokensieve/core/token_plan.h"

#include <array>
#include <limits>
#include <vector>

#include "refuses.h"

using namespace tokensieve;

namespace {

/// Two samples of 4 and 3 rows: the first keeps 0 and 2 and fuses 1 and 3, the second keeps 0
/// and 1.
TokenPlan fusing_plan() {
  TokenPlan plan;
  plan.begin_sample(4);
  plan.keep(0);
  plan.keep(2);
  plan.combine(std::array{Source{1, 0.5f}, Source{3, 0.25f}});
  plan.begin_sample(3);
  plan.keep(0);
  plan.keep(1);
  return plan;
}

const RaggedLayout kLayout = RaggedLayout::from_counts(std::array<int64_t, 2>{4, 3});

TokenPlan one_sample(std::vector<std::vector<Source>> rows, int64_t count = 3) {
  TokenPlan plan;
  plan.begin_sample(count);
  for (const auto& sources : rows) plan.combine(sources);
  return plan;
}

}  // namespace

TEST_CASE("a plan copies kept rows and sums fused ones", "[core][plan]") {
  const TokenPlan plan = fusing_plan();
  CHECK(plan.input_layout() == kLayout);
  CHECK(plan.output_layout() == RaggedLayout::from_counts(std::array<int64_t, 2>{3, 2}));
  CHECK(plan.batch() == 2);

  std::vector<float> in(14), out(10);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  plan.apply({in.data(), 7, 2}, {out.data(), 5, 2});
  CHECK(out == std::vector<float>{0, 1, 4, 5, 1 + 1.5f, 1.5f + 1.75f, 8, 9, 10, 11});
}

TEST_CASE("a plan knows where each row goes", "[core][plan]") {
  const TokenPlan plan = fusing_plan();
  CHECK(plan.destinations(0) ==
        std::vector<Destination>{{0, 1.0f}, {2, 0.5f}, {1, 1.0f}, {2, 0.25f}});
  CHECK(plan.destinations(1) == std::vector<Destination>{{0, 1.0f}, {1, 1.0f}, {-1, 0.0f}});
  const TokenPlan twice = one_sample({{{2, 0.5f}}, {{2, 1.0f}, {0, 0.5f}}});
  CHECK(twice.destinations(0) == std::vector<Destination>{{1, 0.5f}, {-1, 0.0f}, {0, 0.5f}});
}

TEST_CASE("a plan knows which rows are copies, of which packed row", "[core][plan]") {
  const TokenPlan plan = fusing_plan();
  CHECK(std::vector<int64_t>(plan.copied_rows().begin(), plan.copied_rows().end()) ==
        std::vector<int64_t>{0, 2, -1, 4, 5});
  CHECK(plan.is_copy(1));
  CHECK_FALSE(plan.is_copy(2));
  CHECK(plan.sources(2).size() == 2);
  CHECK(plan.sources(4)[0] == Source{1, 1.0f});
  CHECK_FALSE(plan.is_gather());
  CHECK_FALSE(plan.is_identity());
}

TEST_CASE("one source is a copy only with weight 1", "[core][plan]") {
  CHECK(one_sample({{{2, 1.0f}}}).is_gather());
  CHECK_FALSE(one_sample({{{2, 0.999f}}}).is_gather());
}

TEST_CASE("the identity plan keeps every row in place", "[core][plan]") {
  const TokenPlan plan = TokenPlan::identity(kLayout);
  CHECK(plan.is_identity());
  CHECK(plan.is_gather());
  CHECK(plan.output_layout() == kLayout);
  CHECK_NOTHROW(plan.validate(kLayout, 3));
  CHECK(TokenPlan::identity(RaggedLayout()).is_identity());
}

TEST_CASE("a permutation is a gather but not the identity", "[core][plan]") {
  const TokenPlan plan = one_sample({{{0}}, {{2}}, {{1}}});
  CHECK(plan.is_gather());
  CHECK_FALSE(plan.is_identity());
}

TEST_CASE("a plan works on strided views and leaves what lies between rows alone", "[core][plan]") {
  const TokenPlan plan = one_sample({{{0}}, {{1, 2.0f}, {2, 1.0f}}});
  std::vector<float> in = {1, 2, -9, 3, 4, -9, 5, 6, -9}, out(8, -1.0f);
  plan.apply({in.data(), 3, 2, 3}, {out.data(), 2, 2, 4});
  CHECK(out == std::vector<float>{1, 2, -1, -1, 11, 14, -1, -1});
}

TEST_CASE("copies are exact for values that arithmetic would change", "[core][plan]") {
  const TokenPlan plan = one_sample({{{1}}}, 2);
  const std::vector<float> in = {0.0f, -0.0f};
  float out = 1.0f;
  plan.apply({in.data(), 2, 1}, {&out, 1, 1});
  CHECK(std::signbit(out));
}

TEST_CASE("building a plan refuses rows without sources or sample", "[core][plan]") {
  TokenPlan plan;
  CHECK_REFUSES(plan.keep(0), "expected begin_sample before the first row");
  plan.begin_sample(2);
  CHECK_REFUSES(plan.combine({}), "expected at least one source");
  CHECK_REFUSES(plan.begin_sample(-1), "expected a count of at least 0, got -1");
}

TEST_CASE("validate accepts a plan that keeps the prefix in front", "[core][plan]") {
  CHECK_NOTHROW(fusing_plan().validate(kLayout, 1));
  CHECK_NOTHROW(one_sample({{{0}}, {{1}}}).validate(RaggedLayout::uniform(1, 3), 2));
  CHECK_NOTHROW(one_sample({}).validate(RaggedLayout::uniform(1, 3), 0));
}

TEST_CASE("validate names what is wrong with a plan", "[core][plan]") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const RaggedLayout three = RaggedLayout::uniform(1, 3);
  CHECK_REFUSES(one_sample({{{0}}}).validate(kLayout, 1),
                "expected a plan for 2 samples with 7 rows");
  CHECK_REFUSES(one_sample({{{3}}}).validate(three, 0),
                "expected source rows in [0, 3) in sample 0, got 3");
  CHECK_REFUSES(one_sample({{{-1}}}).validate(three, 0), "got -1");
  CHECK_REFUSES(one_sample({{{0}}, {{1, nan}}}).validate(three, 1), "expected finite weights");
  CHECK_REFUSES(one_sample({{{0}}, {{1, infinity}}}).validate(three, 1), "got inf for row 1");
  CHECK_REFUSES(one_sample({{{0}}}).validate(three, 2),
                "expected the 2 prefix rows of sample 0 to stay");
  CHECK_REFUSES(one_sample({{{1}}, {{0}}}).validate(three, 1),
                "expected prefix row 0 of sample 0 in its place");
  CHECK_REFUSES(one_sample({{{0, 0.5f}}}).validate(three, 1), "unchanged; keep it first");
}

TEST_CASE("apply refuses views of other sizes", "[core][plan]") {
  const TokenPlan plan = one_sample({{{0}}, {{1}}});
  std::vector<float> memory(12);
  const RowsView<float> in(memory.data(), 3, 2), out(memory.data() + 6, 2, 2);
  CHECK_NOTHROW(plan.apply(in, out));
  CHECK_REFUSES(plan.apply(out, out), "expected [3, c] in and [2, c] out, got [2, 2]");
  CHECK_REFUSES(plan.apply(in, in), "and [3, 2]");
  CHECK_REFUSES(plan.apply(in, RowsView<float>(memory.data() + 6, 2, 1)), "and [2, 1]");
}
