#include "tokensieve/io/dtype.h"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace tokensieve;
using Shape = std::vector<std::int64_t>;

TEST_CASE("Every type has a name that leads back to it, in order of width from a byte on",
          "[io][dtype]") {
  int last_bits = 8;
  for (int i = 0; i <= static_cast<int>(DType::U64); ++i) {
    const auto dtype = static_cast<DType>(i);
    CAPTURE(dtype_name(dtype));
    CHECK(dtype_from_name(dtype_name(dtype)) == dtype);
    const int bits = dtype_bits(dtype);
    if (bits >= 8) {
      CHECK(bits >= last_bits);
      last_bits = bits;
    }
  }
  CHECK(dtype_name(DType::BF16) == "BF16");
  CHECK(dtype_name(DType::F8_E5M2FNUZ) == "F8_E5M2FNUZ");
  CHECK_FALSE(dtype_from_name("f32"));
  CHECK_FALSE(dtype_from_name(""));
}

TEST_CASE("The size of a tensor is its count times its width", "[io][dtype]") {
  CHECK(tensor_bytes(DType::F32, Shape{}) == 4);
  CHECK(tensor_bytes(DType::BF16, Shape{3, 5}) == 30);
  CHECK(tensor_bytes(DType::U8, Shape{7, 0, 9}) == 0);
  CHECK(tensor_bytes(DType::F4, Shape{3, 2}) == 3);
  CHECK(tensor_bytes(DType::F6_E2M3, Shape{4}) == 3);
}

TEST_CASE("A shape that is negative, too large or leaves part of a byte has no size",
          "[io][dtype]") {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  CHECK_FALSE(tensor_bytes(DType::F32, Shape{-1}));
  CHECK_FALSE(tensor_bytes(DType::F32, Shape{-1, -1}));
  CHECK_FALSE(tensor_bytes(DType::U8, Shape{kMax}));
  CHECK_FALSE(tensor_bytes(DType::U8, Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}));
  CHECK_FALSE(tensor_bytes(DType::U8, Shape{kMax, kMax, 0}));
  CHECK_FALSE(tensor_bytes(DType::F4, Shape{3}));
}
