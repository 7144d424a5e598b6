#include "kernels/layer_norm.h"

#include <catch2/catch.hpp>

#include "random_model.h"

using namespace tokensieve;

TEST_CASE("the fast layer norm equals the plain one", "[engine][layer_norm]") {
  const int64_t cols = GENERATE(1, 7, 64, 192, 384, 1001);
  const int64_t rows = GENERATE(1, 40);
  auto x = test::random_values(rows * cols, 1, 3.0f);
  for (float& value : x) value += 5.0f;
  const auto weight = test::random_values(cols, 2), bias = test::random_values(cols, 3);
  std::vector<float> fast(x.size()), plain(x.size());
  layer_norm({x.data(), rows, cols}, {fast.data(), rows, cols}, weight, bias, 1e-6f);
  layer_norm_plain({x.data(), rows, cols}, {plain.data(), rows, cols}, weight, bias, 1e-6f);
  for (size_t i = 0; i < fast.size(); ++i) CHECK(fast[i] == Approx(plain[i]).margin(1e-5));
  SECTION("in place") {
    layer_norm({x.data(), rows, cols}, {x.data(), rows, cols}, weight, bias, 1e-6f);
    CHECK(x == fast);
  }
}
