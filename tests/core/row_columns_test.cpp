#include "tokensieve/core/row_columns.h"

#include <array>

#include "refuses.h"

using namespace tokensieve;

namespace {

template <typename T>
std::vector<std::remove_const_t<T>> copied(std::span<T> values) {
  return {values.begin(), values.end()};
}

const RaggedLayout kLayout = RaggedLayout::from_counts(std::array<int64_t, 2>{4, 3});

/// Sample 0: class row, token 2, token 1 + token 0. Sample 1: class row alone.
TokenPlan plan() {
  TokenPlan result;
  result.begin_sample(4);
  result.keep(0);
  result.keep(3);
  result.combine(std::array{Source{2, 0.5f}, Source{1, 0.25f}});
  result.begin_sample(3);
  result.keep(0);
  return result;
}

}  // namespace

TEST_CASE("fresh columns count tokens after the prefix, and every row is one token",
          "[core][columns]") {
  RowColumns columns;
  columns.reset(kLayout, 2);
  CHECK(copied(columns.origin()) == std::vector<int32_t>{-1, -2, 0, 1, -1, -2, 0});
  CHECK(copied(columns.size()) == std::vector<float>(7, 1.0f));
}

TEST_CASE("a sum takes the origin of its first source and the size of all", "[core][columns]") {
  RowColumns columns;
  columns.reset(kLayout, 1);
  columns.apply(plan());
  CHECK(copied(columns.origin()) == std::vector<int32_t>{-1, 2, 1, -1});
  CHECK(copied(columns.size()) == std::vector<float>{1, 1, 2, 1});
}

TEST_CASE("an added column follows a sum the way it says", "[core][columns]") {
  RowColumns columns;
  columns.reset(kLayout, 1);
  columns.add("first", Combine::first, 0.0f);
  columns.add("sum", Combine::sum, 0.0f);
  columns.add("weighted", Combine::weighted, 0.0f);
  for (const char* name : {"first", "sum", "weighted"}) {
    const std::span<float> values = columns.column(name);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(10 * (i + 1));
  }
  columns.apply(plan());
  CHECK(copied(columns.column("first")) == std::vector<float>{10, 40, 30, 50});
  CHECK(copied(columns.column("sum")) == std::vector<float>{10, 40, 50, 50});
  CHECK(copied(columns.column("weighted")) == std::vector<float>{10, 40, 20, 50});
}

TEST_CASE("a new batch forgets added columns", "[core][columns]") {
  RowColumns columns;
  columns.reset(kLayout, 1);
  columns.add("halting", Combine::weighted, 0.5f);
  CHECK(copied(std::as_const(columns).column("halting")) == std::vector<float>(7, 0.5f));
  columns.reset(RaggedLayout::uniform(1, 2), 1);
  CHECK_REFUSES(columns.column("halting"), "expected the name of an added column, got 'halting'");
  CHECK(columns.origin().size() == 2);
}

TEST_CASE("columns refuse a taken name, a foreign plan and too short samples", "[core][columns]") {
  RowColumns columns;
  columns.reset(kLayout, 1);
  columns.add("halting", Combine::sum, 0.0f);
  CHECK_REFUSES(columns.add("halting", Combine::first, 0.0f), "expected a new column name");
  CHECK_REFUSES(columns.apply(TokenPlan::identity(RaggedLayout::uniform(1, 6))),
                "expected a plan for 7 rows, got one for 6");
  CHECK_REFUSES(columns.reset(kLayout, 4),
                "expected at least the 4 prefix rows in sample 1, got 3");
}

TEST_CASE("columns follow samples that leave", "[core][row_columns]") {
  const RaggedLayout layout = RaggedLayout::from_counts(std::vector<int64_t>{2, 3, 1});
  RowColumns columns;
  columns.reset(layout, 1);
  columns.add("mark", Combine::first, 0.0f);
  for (size_t i = 0; i < 6; ++i) columns.column("mark")[i] = static_cast<float>(i);
  columns.select(layout, std::vector<int64_t>{1, 2});
  const std::vector<int32_t> origin(columns.origin().begin(), columns.origin().end());
  CHECK(origin == std::vector<int32_t>{-1, 0, 1, -1});
  const auto mark = std::as_const(columns).column("mark");
  CHECK(std::vector<float>(mark.begin(), mark.end()) == std::vector<float>{2, 3, 4, 5});
  CHECK(columns.size().size() == 4);
  CHECK_REFUSES(columns.select(layout, std::vector<int64_t>{0}), "expected a layout of 4 rows");
  const RaggedLayout rest = RaggedLayout::from_counts(std::vector<int64_t>{3, 1});
  CHECK_REFUSES(columns.select(rest, std::vector<int64_t>{2}), "ascending samples");
}
