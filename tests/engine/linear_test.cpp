#include "onednn/linear.h"

#include <omp.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "random_model.h"

using namespace tokensieve;
using test::random_values;

namespace {

MemoryWeights linear_weights(int64_t in, int64_t out) {
  MemoryWeights weights;
  weights.set("fc.weight", {out, in}, random_values(in * out, 1, 0.3f));
  weights.set("fc.bias", {out}, random_values(out, 2));
  return weights;
}

/// `y` as Linear::run leaves it, in plain loops.
std::vector<float> plain(const MemoryWeights& source, std::span<const float> x, int64_t rows,
                         int64_t in, int64_t out, const LinearOptions& options, Epilogue epilogue,
                         std::vector<float> y) {
  const auto weight = source.WeightSource::read("fc.weight", std::vector{out, in});
  const auto bias = source.WeightSource::read("fc.bias", std::vector{out});
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t o = 0; o < out; ++o) {
      double sum = options.bias ? bias[o] : 0.0;
      for (int64_t k = 0; k < in; ++k) sum += double{x[i * in + k]} * weight[o * in + k];
      if (!options.output_scale.empty()) sum *= options.output_scale[o];
      float& to = y[i * out + o];
      if (epilogue == Epilogue::add || epilogue == Epilogue::add_gelu) sum += to;
      if (epilogue == Epilogue::gelu || epilogue == Epilogue::add_gelu) {
        sum = 0.5 * sum * (1.0 + std::erf(sum / std::sqrt(2.0)));
      }
      to = static_cast<float>(sum);
    }
  }
  return y;
}

/// A linear, its input and its output, with room for the rows of a bucket.
struct Fixture {
  Fixture(int64_t in_, int64_t out_, size_t capacity = 64, LinearOptions options_ = {})
      : in(in_),
        out(out_),
        options(options_),
        weights(linear_weights(in, out)),
        cache(capacity),
        linear(weights, "fc", in, out, cache, options) {}

  std::vector<float> run(int64_t rows, Epilogue epilogue = Epilogue::none) {
    const auto x = random_values(bucketed_rows(rows) * in, 3);
    auto y = random_values(bucketed_rows(rows) * out, 4);
    linear.run({x.data(), rows, in}, {y.data(), rows, out}, epilogue, scratchpad);
    y.resize(static_cast<size_t>(rows * out));
    return y;
  }

  std::vector<float> expected(int64_t rows, Epilogue epilogue = Epilogue::none) {
    auto y = random_values(bucketed_rows(rows) * out, 4);
    y.resize(static_cast<size_t>(rows * out));
    return plain(weights, random_values(bucketed_rows(rows) * in, 3), rows, in, out, options,
                 epilogue, std::move(y));
  }

  int64_t in, out;
  LinearOptions options;
  MemoryWeights weights;
  LinearCache cache;
  Linear linear;
  AlignedBuffer scratchpad;
};

void check_close(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float worst = 0.0f;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  CHECK(worst < 2e-5f);
}

}  // namespace

TEST_CASE("a linear equals plain loops under every epilogue", "[engine][linear]") {
  const auto epilogue = GENERATE(Epilogue::none, Epilogue::gelu, Epilogue::add, Epilogue::add_gelu);
  const auto rows = GENERATE(as<int64_t>{}, 1, 5, 256, 257, 300);
  const auto [in, out] = GENERATE(table<int64_t, int64_t>({{48, 96}, {96, 17}, {13, 3}, {1, 1}}));
  CAPTURE(static_cast<int>(epilogue), rows, in, out);
  const auto scale = random_values(out, 5);
  LinearOptions options;
  SECTION("with bias") {}
  SECTION("without bias") { options.bias = false; }
  SECTION("scaled") { options.output_scale = scale; }
  Fixture fixture(in, out, 64, options);
  check_close(fixture.run(rows, epilogue), fixture.expected(rows, epilogue));
}

TEST_CASE("rows up to 256 have a primitive each, more share one in 16", "[engine][linear]") {
  Fixture fixture(8, 8);
  for (const int64_t rows : {255, 256}) fixture.run(rows);
  CHECK(fixture.cache.size() == 2);
  for (int64_t rows = 257; rows <= 272; ++rows) fixture.run(rows);
  CHECK(fixture.cache.size() == 3);
  fixture.run(273);
  CHECK(fixture.cache.size() == 4);
  for (const int64_t rows : {255, 260, 273}) fixture.run(rows);
  CHECK(fixture.cache.size() == 4);
}

TEST_CASE("what a bucket adds changes no row", "[engine][linear]") {
  Fixture fixture(24, 40);
  const auto x = random_values(272 * 24, 6);
  std::vector<float> exact(272 * 40), some(272 * 40);
  fixture.linear.run({x.data(), 272, 24}, {exact.data(), 272, 40}, Epilogue::none,
                     fixture.scratchpad);
  fixture.linear.run({x.data(), 259, 24}, {some.data(), 259, 40}, Epilogue::none,
                     fixture.scratchpad);
  CHECK(std::equal(some.begin(), some.begin() + 259 * 40, exact.begin()));
}

TEST_CASE("the cache of primitives keeps its bound and the last used", "[engine][linear]") {
  Fixture fixture(16, 16, 3);
  for (int64_t rows = 1; rows <= 20; ++rows) {
    fixture.run(rows);
    CHECK(fixture.cache.size() == std::min<size_t>(static_cast<size_t>(rows), 3));
  }
  // A primitive that had to go is made again, and gives the same.
  check_close(fixture.run(1), fixture.expected(1));
  CHECK(fixture.cache.size() == 3);
}

TEST_CASE("a primitive belongs to its epilogue and its number of threads", "[engine][linear]") {
  Fixture fixture(16, 16);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  for (const Epilogue epilogue :
       {Epilogue::none, Epilogue::gelu, Epilogue::add, Epilogue::add_gelu, Epilogue::none}) {
    fixture.run(4, epilogue);
  }
  CHECK(fixture.cache.size() == 4);
  omp_set_num_threads(2);
  check_close(fixture.run(4), fixture.expected(4));
  CHECK(fixture.cache.size() == 5);
  omp_set_num_threads(before);
}

TEST_CASE("linears of one size share their primitives", "[engine][linear]") {
  Fixture fixture(16, 16);
  const Linear other(fixture.weights, "fc", 16, 16, fixture.cache);
  fixture.run(4);
  const auto x = random_values(4 * 16, 7);
  std::vector<float> y(4 * 16);
  other.run({x.data(), 4, 16}, {y.data(), 4, 16}, Epilogue::none, fixture.scratchpad);
  CHECK(fixture.cache.size() == 1);
}

TEST_CASE("no rows are no work", "[engine][linear]") {
  Fixture fixture(16, 16);
  fixture.linear.run({nullptr, 0, 16}, {nullptr, 0, 16}, Epilogue::none, fixture.scratchpad);
  CHECK(fixture.cache.size() == 0);
}

TEST_CASE("a linear takes a kernel's shape and refuses another size", "[engine][linear][errors]") {
  LinearCache cache(4);
  MemoryWeights weights = linear_weights(12, 5);
  weights.set("conv.weight", {5, 3, 2, 2}, random_values(60, 1));
  weights.set("conv.bias", {5}, random_values(5, 1));
  CHECK(Linear(weights, "conv", 12, 5, cache).in() == 12);
  CHECK_THROWS_AS(Linear(weights, "conv", 12, 4, cache), std::runtime_error);
  CHECK_THROWS_WITH(Linear(weights, "conv", 13, 5, cache),
                    Catch::Contains("conv.weight should hold 5 x 13 values"));
  CHECK_THROWS_AS(Linear(weights, "none", 12, 5, cache), std::runtime_error);
}
