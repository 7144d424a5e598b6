#include "tokensieve/io/half.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace tokensieve;

namespace {

/// The value of a half by the definition of IEEE 754.
double half_value(unsigned half) {
  const double sign = half & 0x8000u ? -1 : 1;
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double fraction = (half & 0x3FF) / 1024.0;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(fraction, -14);
  return sign * std::ldexp(1 + fraction, exponent - 15);
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST_CASE("Every half becomes the float of its value", "[io][half]") {
  std::vector<std::uint16_t> halves(0x10000);
  for (unsigned i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  f16_to_f32(halves, floats);
  unsigned wrong = 0;
  for (unsigned i = 0; i < halves.size(); ++i) {
    wrong += !same(floats[i], half_value(i)) || !same(f16_to_f32(halves[i]), half_value(i));
  }
  CHECK(wrong == 0);
}

TEST_CASE("Every bfloat16 but a signalling NaN survives the way to float and back", "[io][half]") {
  std::vector<std::uint16_t> halves(0x10000), back(0x10000);
  for (unsigned i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  bf16_to_f32(halves, floats);
  f32_to_bf16(floats, back);
  unsigned wrong = 0;
  for (unsigned i = 0; i < halves.size(); ++i) {
    const bool is_nan = (i & 0x7FFFu) > 0x7F80u;
    wrong += back[i] != (is_nan ? (i | 0x40u) : i);
  }
  CHECK(wrong == 0);
  CHECK(bf16_to_f32(0x3FC0) == 1.5f);
}

TEST_CASE("Float to bfloat16 rounds to the nearest, ties to even", "[io][half]") {
  const auto rounded = [](std::uint32_t bits) { return f32_to_bf16(std::bit_cast<float>(bits)); };
  CHECK(rounded(0x3F807FFF) == 0x3F80);  // under half: down
  CHECK(rounded(0x3F808000) == 0x3F80);  // half, even below: down
  CHECK(rounded(0x3F818000) == 0x3F82);  // half, odd below: up
  CHECK(rounded(0x3F808001) == 0x3F81);  // over half: up
  CHECK(rounded(0xBF818000) == 0xBF82);  // the same below zero
  CHECK(rounded(0x00008001) == 0x0001);  // subnormals too
  CHECK(rounded(0x7F7FFFFF) == 0x7F80);  // the largest float is nearer to 2^128
  CHECK(rounded(0xFF800000) == 0xFF80);
}

TEST_CASE("NaN stays NaN as bfloat16 even if only its low bits say so", "[io][half]") {
  CHECK(f32_to_bf16(std::bit_cast<float>(0x7F800001u)) == 0x7FC0);
  CHECK(f32_to_bf16(std::bit_cast<float>(0xFFFFFFFFu)) == 0xFFFF);
  CHECK(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("Conversions of spans refuse unequal lengths", "[io][half]") {
  std::vector<std::uint16_t> halves(3);
  std::vector<float> floats(2);
  CHECK_THROWS_AS(bf16_to_f32(halves, floats), std::invalid_argument);
  CHECK_THROWS_AS(f16_to_f32(halves, floats), std::invalid_argument);
  CHECK_THROWS_AS(f32_to_bf16(floats, halves), std::invalid_argument);
  CHECK_THROWS_WITH(f32_to_bf16(floats, halves),
                    "[f32_to_bf16] expected as many results as values, got 3 for 2");
}
