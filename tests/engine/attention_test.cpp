#include "kernels/attention.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "random_model.h"

using namespace tokensieve;
using test::random_values;

namespace {

struct Case {
  std::vector<int64_t> counts;
  int heads;
  int dim;
};

struct Result {
  std::vector<float> rows, class_rows, column_mean, norms;
};

using Kernel = void (*)(const AttentionInput&, const AttentionOutput&);

void fast(const AttentionInput& input, const AttentionOutput& output) {
  AttentionScratch scratch;
  attention(input, output, scratch);
}

Result run(Kernel kernel, AttentionInput input) {
  const int64_t keys = input.layout->rows();
  const int64_t queries = input.query_layout ? input.query_layout->rows() : keys;
  const int64_t width = int64_t{input.num_heads} * input.head_dim;
  Result result;
  result.rows.resize(static_cast<size_t>(queries * width));
  result.class_rows.resize(static_cast<size_t>(input.num_heads * keys));
  result.column_mean.resize(static_cast<size_t>(keys));
  result.norms.resize(static_cast<size_t>(input.num_heads * queries));
  AttentionOutput output;
  output.rows = {result.rows.data(), queries, width};
  output.class_row_per_head = {result.class_rows.data(), input.num_heads, keys};
  output.column_mean = result.column_mean;
  output.output_norm = {result.norms.data(), input.num_heads, queries};
  kernel(input, output);
  return result;
}

void check_close(const std::vector<float>& a, const std::vector<float>& b, float bound) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    INFO("index " << i << ": " << a[i] << " against " << b[i]);
    REQUIRE(std::fabs(a[i] - b[i]) <= bound);
  }
}

void check_close(const Result& a, const Result& b) {
  check_close(a.rows, b.rows, 1e-5f);
  check_close(a.class_rows, b.class_rows, 5e-6f);
  check_close(a.column_mean, b.column_mean, 5e-6f);
  check_close(a.norms, b.norms, 2e-5f);
}

}  // namespace

TEST_CASE("the fast attention equals the plain one for any sizes", "[engine][attention]") {
  const Case sizes = GENERATE(Case{{197}, 6, 64}, Case{{1}, 1, 64}, Case{{2, 1, 5}, 3, 64},
                              Case{{50, 140, 7, 0, 129}, 2, 64}, Case{{33}, 2, 80},
                              Case{{19, 6}, 4, 72}, Case{{40}, 3, 8}, Case{{300}, 1, 33});
  const auto layout = RaggedLayout::from_counts(sizes.counts);
  const int64_t width = int64_t{sizes.heads} * sizes.dim;
  const auto qkv = random_values(layout.rows() * 3 * width, 7, 1.5f);
  AttentionInput input;
  input.qkv = {qkv.data(), layout.rows(), 3 * width};
  input.num_heads = sizes.heads;
  input.head_dim = sizes.dim;
  input.layout = &layout;
  SECTION("all queries") { check_close(run(fast, input), run(attention_plain, input)); }
  SECTION("a bias for each key") {
    const auto bias = random_values(layout.rows(), 8, 2.0f);
    input.key_bias = bias;
    check_close(run(fast, input), run(attention_plain, input));
  }
  SECTION("chosen queries") {
    std::vector<int64_t> rows;
    std::vector<int64_t> counts;
    for (int64_t b = 0; b < layout.batch(); ++b) {
      const size_t before = rows.size();
      for (int64_t i = 0; i < layout.count(b); i += 3) rows.push_back(layout.offset(b) + i);
      counts.push_back(static_cast<int64_t>(rows.size() - before));
    }
    const auto queries = RaggedLayout::from_counts(counts);
    input.query_layout = &queries;
    input.query_rows = rows.data();
    check_close(run(fast, input), run(attention_plain, input));
  }
}

TEST_CASE("a logit that is no number makes its whole row none", "[engine][attention]") {
  const auto layout = RaggedLayout::from_counts(std::vector<int64_t>{40});
  auto qkv = random_values(40 * 3 * 64, 7, 1.5f);
  const float bad =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  qkv[3 * 3 * 64 + 5] = bad;  // of the query of row 3
  AttentionInput input;
  input.qkv = {qkv.data(), 40, 3 * 64};
  input.num_heads = 1;
  input.head_dim = 64;
  input.layout = &layout;
  for (const Result& result : {run(fast, input), run(attention_plain, input)}) {
    for (int64_t i = 0; i < 40; ++i) CHECK(std::isnan(result.rows[i * 64]) == (i == 3));
    CHECK(std::isnan(result.column_mean[0]));
  }
}

TEST_CASE("a masked head equals its definition", "[engine][attention][masks]") {
  const int64_t width = GENERATE(14, 5), height = GENERATE(14, 3);
  const int dim = GENERATE(64, 20);
  AttentionMasks masks;
  masks.rows = GENERATE(1, 2);
  masks.sees_prefix = GENERATE(true, false);
  const bool some_left = GENERATE(true, false);
  // Two images of that grid; in the second every third patch has left.
  std::vector<int64_t> counts;
  std::vector<int32_t> origin;
  for (int image = 0; image < 2; ++image) {
    const size_t before = origin.size();
    origin.push_back(-1);
    for (int32_t i = 0; i < width * height; ++i) {
      if (image == 0 || !some_left || i % 3 > 0) origin.push_back(i);
    }
    counts.push_back(static_cast<int64_t>(origin.size() - before));
  }
  const auto layout = RaggedLayout::from_counts(counts);
  Neighbourhoods near;
  list_neighbourhoods(masks, layout, origin, 1, std::vector{width, width},
                      std::vector{width * height, width * height}, near);
  const auto qkv = random_values(layout.rows() * 3 * 3 * dim, 7, 1.5f);
  const std::vector<int> masked = {0, 2};
  NeighbourTables tables;
  tables.fill(near, layout);
  AttentionInput input;
  input.qkv = {qkv.data(), layout.rows(), 9 * dim};
  input.num_heads = 3;
  input.head_dim = dim;
  input.layout = &layout;
  input.masked_heads = masked;
  input.neighbourhoods = &near;
  input.tables = &tables;
  input.hard = GENERATE(false, true);
  // Both ways to compute a masked head are met.
  if (width == height) CHECK(tables.offsets[0] < 0);
  if (width == 5 && height == 3) CHECK(tables.offsets[0] == 0);
  check_close(run(fast, input), run(attention_plain, input));

  const auto bias = random_values(layout.rows(), 8, 2.0f);
  input.key_bias = bias;
  check_close(run(fast, input), run(attention_plain, input));

  std::vector<int64_t> rows, chosen;
  for (int64_t b = 0; b < 2; ++b) {
    const size_t before = rows.size();
    for (int64_t i = 0; i < layout.count(b); i += 4) rows.push_back(layout.offset(b) + i);
    chosen.push_back(static_cast<int64_t>(rows.size() - before));
  }
  const auto queries = RaggedLayout::from_counts(chosen);
  input.query_layout = &queries;
  input.query_rows = rows.data();
  check_close(run(fast, input), run(attention_plain, input));
}

TEST_CASE("a masked head whose logits are 0 gives the mean of the values",
          "[engine][attention][masks]") {
  const auto layout = RaggedLayout::uniform(1, 17);
  std::vector<int32_t> origin = {-1};
  for (int32_t i = 0; i < 16; ++i) origin.push_back(i);
  Neighbourhoods near;
  list_neighbourhoods({}, layout, origin, 1, std::vector<int64_t>{4}, std::vector<int64_t>{16},
                      near);
  auto qkv = random_values(17 * 3 * 8, 3);
  for (int64_t row = 0; row < 17; ++row) std::fill_n(qkv.begin() + row * 24, 8, 0.0f);
  const std::vector<int> masked = {0};
  NeighbourTables tables;
  tables.fill(near, layout);
  AttentionInput input;
  input.qkv = {qkv.data(), 17, 24};
  input.num_heads = 1;
  input.head_dim = 8;
  input.layout = &layout;
  input.masked_heads = masked;
  input.neighbourhoods = &near;
  input.tables = &tables;
  const Result result = run(fast, input);
  for (int64_t c = 0; c < 8; ++c) {
    float mean = 0;
    for (int64_t row = 0; row < 17; ++row) mean += qkv[row * 24 + 16 + c] / 17.0f;
    for (int64_t row = 0; row < 17; ++row)
      CHECK(result.rows[row * 8 + c] == Approx(mean).margin(1e-6));
  }
}

TEST_CASE("attention gives the same bits on one thread and on two", "[engine][attention]") {
  const auto layout = RaggedLayout::from_counts(std::vector<int64_t>{197, 64, 131});
  const auto qkv = random_values(layout.rows() * 3 * 128, 3, 1.5f);
  AttentionInput input;
  input.qkv = {qkv.data(), layout.rows(), 3 * 128};
  input.num_heads = 2;
  input.head_dim = 64;
  input.layout = &layout;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Result one = run(fast, input);
  omp_set_num_threads(2);
  const Result two = run(fast, input);
  omp_set_num_threads(before);
  CHECK(one.rows == two.rows);
  CHECK(one.column_mean == two.column_mean);
  CHECK(one.class_rows == two.class_rows);
}

TEST_CASE("attention survives logits of any size", "[engine][attention]") {
  const auto layout = RaggedLayout::uniform(1, 20);
  auto qkv = random_values(20 * 3 * 64, 5, 60.0f);
  AttentionInput input;
  input.qkv = {qkv.data(), 20, 3 * 64};
  input.num_heads = 1;
  input.head_dim = 64;
  input.layout = &layout;
  for (const float value : run(fast, input).rows) CHECK(std::isfinite(value));
}

TEST_CASE("the class row alone is the class row of the whole attention", "[engine][attention]") {
  const auto layout = RaggedLayout::from_counts(std::vector<int64_t>{30, 9});
  const auto qkv = random_values(39 * 3 * 128, 11, 1.5f);
  AttentionInput input;
  input.qkv = {qkv.data(), 39, 3 * 128};
  input.num_heads = 2;
  input.head_dim = 64;
  input.layout = &layout;
  std::vector<float> alone(2 * 39);
  AttentionOutput output;
  output.class_row_per_head = {alone.data(), 2, 39};
  fast(input, output);
  check_close(alone, run(attention_plain, input).class_rows, 5e-6f);
}
