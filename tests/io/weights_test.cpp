#include "tokensieve/io/weights.h"

#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

using namespace tokensieve;
using Catch::Contains;

namespace {

MemoryWeights one_tensor() {
  MemoryWeights weights;
  weights.set("norm.weight", {2, 3}, {1, 2, 3, 4, 5, 6});
  return weights;
}

}  // namespace

TEST_CASE("Weights in memory read as they were set", "[io][weights]") {
  MemoryWeights weights = one_tensor();
  CHECK(weights.contains("norm.weight"));
  CHECK_FALSE(weights.contains("norm.bias"));
  CHECK(weights.shape("norm.weight") == std::vector<int64_t>{2, 3});
  CHECK(weights.read("norm.weight", std::vector<int64_t>{2, 3}) ==
        std::vector<float>{1, 2, 3, 4, 5, 6});

  weights.set("norm.weight", {1}, {7});
  weights.set("a scalar", {}, {8});
  weights.set("nothing", {0, 4}, {});
  CHECK(weights.read("norm.weight", std::vector<int64_t>{1}) == std::vector<float>{7});
  CHECK(weights.read("a scalar", std::vector<int64_t>{}) == std::vector<float>{8});
  CHECK(weights.read("nothing", std::vector<int64_t>{0, 4}).empty());
  CHECK(weights.names() == std::vector<std::string>{"a scalar", "norm.weight", "nothing"});
}

TEST_CASE("Weights in memory are as long as their shape says", "[io][weights]") {
  MemoryWeights weights;
  CHECK_THROWS_AS(weights.set("x", {2, 3}, {1, 2}), std::invalid_argument);
  CHECK_THROWS_AS(weights.set("x", {-1, -2}, {1, 2}), std::invalid_argument);
  constexpr auto kHuge = std::numeric_limits<int64_t>::max();
  CHECK_THROWS_AS(weights.set("x", {kHuge, kHuge}, {1}), std::invalid_argument);
  CHECK(weights.names().empty());
}

TEST_CASE("A tensor that is not there is an error with the nearest name", "[io][weights]") {
  const MemoryWeights weights = one_tensor();
  CHECK_THROWS_AS(weights.shape("norm.wieght"), std::runtime_error);
  CHECK_THROWS_WITH(weights.shape("norm.wieght"), Contains("did you mean 'norm.weight'?"));
}

TEST_CASE("A tensor of another shape, or no room for it, is an error", "[io][weights]") {
  const MemoryWeights weights = one_tensor();
  CHECK_THROWS_AS(weights.read("norm.weight", std::vector<int64_t>{3, 2}), std::runtime_error);
  CHECK_THROWS_WITH(weights.read("norm.weight", std::vector<int64_t>{3, 2}),
                    Contains("of shape [3, 2], got [2, 3]"));
  std::vector<float> too_short(5);
  CHECK_THROWS_AS(weights.read("norm.weight", std::span(too_short)), std::invalid_argument);
}
