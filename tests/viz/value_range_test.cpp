#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "value_range.h"

using namespace tokensieve;
using namespace tokensieve::drawing;

namespace {
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("a range runs over the finite values", "[viz][range]") {
  const ValueRange range = range_of(std::vector{kNaN, 3.0f, -1.0f, kInfinity}, ValueScale::linear);
  CHECK(range.low == -1.0);
  CHECK(range.high == 3.0);
  CHECK(range.position(1.0) == Approx(0.5));
  CHECK(range.has(0.0));
  CHECK_FALSE(range.has(kNaN));
  CHECK_FALSE(range.has(kInfinity));
}

TEST_CASE("automatic takes logarithms for positive values that spread far", "[viz][range]") {
  CHECK(range_of(std::vector{0.01f, 0.02f, 0.9f}, ValueScale::automatic).logarithmic);
  CHECK_FALSE(range_of(std::vector{0.4f, 0.5f, 0.9f}, ValueScale::automatic).logarithmic);
  CHECK_FALSE(range_of(std::vector{0.0f, 0.02f, 0.9f}, ValueScale::automatic).logarithmic);
}

TEST_CASE("a logarithmic range leaves out what has no logarithm", "[viz][range]") {
  const ValueRange range = range_of(std::vector{0.0f, 0.1f, 10.0f}, ValueScale::logarithmic);
  CHECK(range.low == Approx(0.1));
  CHECK_FALSE(range.has(0.0));
  CHECK(range.position(1.0) == Approx(0.5).epsilon(1e-6));
  CHECK(range_of(std::vector{-1.0f, 0.0f}, ValueScale::logarithmic).empty);
}

TEST_CASE("no numbers and one number are ranges too", "[viz][range]") {
  CHECK(range_of(std::vector<float>{}, ValueScale::automatic).empty);
  CHECK(range_of(std::vector{kNaN}, ValueScale::automatic).empty);
  const ValueRange one = range_of(std::vector{2.0f, 2.0f}, ValueScale::automatic);
  CHECK(one.position(2.0) == 0.5);
  CHECK(one.round_values(4).empty());
}

TEST_CASE("round values are round and inside", "[viz][range]") {
  const ValueRange linear{false, false, 0.03, 1.0};
  CHECK(linear.round_values(5) == std::vector{0.2, 0.4, 0.6000000000000001, 0.8});
  const ValueRange decades{false, true, 2e-5, 0.3};
  const std::vector<double> powers = decades.round_values(6);
  REQUIRE(powers.size() == 4);
  CHECK(powers.front() == Approx(1e-4));
  CHECK(powers.back() == Approx(0.1));
  const ValueRange wide{false, true, 1e-30, 1e8};
  CHECK(wide.round_values(5).size() <= 5);
}
