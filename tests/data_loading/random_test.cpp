#include "tokensieve/data/random.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>

using namespace tokensieve;

namespace {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

template <typename Draw>
Moments moments(int count, Draw draw) {
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < count; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  return {mean, squares / count - mean * mean};
}

}  // namespace

TEST_CASE("Philox gives the numbers its authors publish", "[data][random]") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random numbers are a function of seed, stream and position", "[data][random]") {
  Random a(7, 1), same(7, 1), stream(7, 2), seed(8, 1);
  bool stream_differs = false, seed_differs = false;
  for (int i = 0; i < 9; ++i) {
    const auto bits = a.bits();
    CHECK(same.bits() == bits);
    stream_differs |= stream.bits() != bits;
    seed_differs |= seed.bits() != bits;
  }
  CHECK(stream_differs);
  CHECK(seed_differs);
}

TEST_CASE("derived seeds do not collide", "[data][random]") {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    for (std::uint64_t a = 0; a < 20; ++a) {
      for (std::uint64_t b = 0; b < 20; ++b) seeds.insert(derived_seed(seed, a, b));
    }
  }
  CHECK(seeds.size() == 5 * 20 * 20);
}

TEST_CASE("uniform and normal numbers have their mean and variance", "[data][random]") {
  Random random(1);
  const int count = 200'000;
  const Moments uniform = moments(count, [&] { return random.uniform(); });
  CHECK(uniform.mean == Approx(0.5).margin(0.003));
  CHECK(uniform.variance == Approx(1.0 / 12).margin(0.001));
  const Moments normal = moments(count, [&] { return random.normal(); });
  CHECK(normal.mean == Approx(0.0).margin(0.01));
  CHECK(normal.variance == Approx(1.0).margin(0.015));
}

TEST_CASE("beta numbers have the mean and variance of their distribution", "[data][random]") {
  for (const auto& [a, b] :
       {std::pair(0.8, 0.8), std::pair(1.0, 1.0), std::pair(0.05, 0.05), std::pair(2.5, 7.0)}) {
    Random random(2);
    const Moments beta = moments(100'000, [&] { return random.beta(a, b); });
    CHECK(beta.mean == Approx(a / (a + b)).margin(0.005));
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    CHECK(beta.variance == Approx(variance).epsilon(0.02));
  }
}

TEST_CASE("a beta number is in [0, 1] for parameters of any size", "[data][random]") {
  Random random(3);
  for (const double a : {1e-6, 1e-3, 1.0, 1e6}) {
    for (int i = 0; i < 200; ++i) {
      const double value = random.beta(a, a);
      CHECK((value >= 0 && value <= 1));
    }
  }
}

TEST_CASE("whole numbers below a count are all equally likely", "[data][random]") {
  Random random(4);
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  CHECK(counts.size() == 6);
  for (const auto& [value, count] : counts) CHECK(std::abs(count - 10'000) < 400);
  // Two thirds of 2^32: a biased method would give the lower half twice as often.
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += random.below(2'863'311'530U) < 1'431'655'765U;
  CHECK(std::abs(low - 15'000) < 400);
}

TEST_CASE("a permutation has every number once, in every order alike", "[data][random]") {
  Random random(5);
  std::map<std::vector<std::uint32_t>, int> orders;
  for (int i = 0; i < 24'000; ++i) ++orders[random.permutation(4)];
  CHECK(orders.size() == 24);
  for (const auto& [order, count] : orders) CHECK(std::abs(count - 1000) < 150);
  CHECK(random.permutation(0).empty());
}

TEST_CASE("random numbers refuse what has no distribution", "[data][random]") {
  Random random(6);
  CHECK_THROWS_AS(random.below(0), std::invalid_argument);
  CHECK_THROWS_AS(random.beta(0, 1), std::invalid_argument);
  CHECK_THROWS_AS(random.beta(1, -1), std::invalid_argument);
  CHECK_THROWS_AS(random.beta(std::numeric_limits<double>::infinity(), 1), std::invalid_argument);
  CHECK_THROWS_AS(random.beta(1, std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
}
