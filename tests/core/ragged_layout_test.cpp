#include "tokensieve/core/ragged_layout.h"

#include <array>
#include <limits>

#include "refuses.h"

using namespace tokensieve;

TEST_CASE("a layout says where the rows of each sample lie", "[core][layout]") {
  const auto layout = RaggedLayout::from_counts(std::array<int64_t, 4>{3, 0, 5, 1});
  CHECK(layout.batch() == 4);
  CHECK(layout.rows() == 9);
  CHECK(layout.offset(2) == 3);
  CHECK(layout.count(1) == 0);
  CHECK(layout.count(2) == 5);
  CHECK(layout.max_count() == 5);
  CHECK(std::vector<int64_t>(layout.offsets().begin(), layout.offsets().end()) ==
        std::vector<int64_t>{0, 3, 3, 8, 9});
}

TEST_CASE("a uniform layout equals the one of equal counts", "[core][layout]") {
  CHECK(RaggedLayout::uniform(3, 7) == RaggedLayout::from_counts(std::array<int64_t, 3>{7, 7, 7}));
  CHECK(RaggedLayout::uniform(0, 7) == RaggedLayout());
}

TEST_CASE("an empty layout has no rows and no largest count", "[core][layout]") {
  RaggedLayout layout;
  CHECK(layout.batch() == 0);
  CHECK(layout.rows() == 0);
  CHECK(layout.max_count() == 0);
  layout.push_back(4);
  layout.extend_last(2);
  CHECK(layout == RaggedLayout::uniform(1, 6));
  layout.clear();
  CHECK(layout == RaggedLayout());
}

TEST_CASE("a layout refuses sizes that make no sense", "[core][layout]") {
  constexpr int64_t huge = std::numeric_limits<int64_t>::max();
  RaggedLayout layout;
  CHECK_REFUSES(RaggedLayout::uniform(-1, 2), "expected a batch of at least 0, got -1");
  CHECK_REFUSES(RaggedLayout::uniform(1, -2), "expected a count of at least 0, got -2");
  CHECK_REFUSES(RaggedLayout::from_counts(std::array<int64_t, 2>{huge, 1}), "fits 64 bits");
  CHECK_REFUSES(layout.push_back(-1), "got -1");
  CHECK_REFUSES(layout.extend_last(1), "got an empty layout");
}

TEST_CASE("some samples of a layout are packed anew", "[core][ragged_layout]") {
  const RaggedLayout layout = RaggedLayout::from_counts(std::vector<int64_t>{3, 0, 5, 2});
  CHECK(layout.select(std::vector<int64_t>{0, 2}) ==
        RaggedLayout::from_counts(std::vector<int64_t>{3, 5}));
  CHECK(layout.select(std::vector<int64_t>{0, 1, 2, 3}) == layout);
  CHECK(layout.select({}).batch() == 0);
  CHECK_REFUSES(layout.select(std::vector<int64_t>{2, 0}), "expected ascending samples below 4");
  CHECK_REFUSES(layout.select(std::vector<int64_t>{1, 1}), "got 1");
  CHECK_REFUSES(layout.select(std::vector<int64_t>{4}), "got 4");
  CHECK_REFUSES(layout.select(std::vector<int64_t>{-1}), "got -1");
}
