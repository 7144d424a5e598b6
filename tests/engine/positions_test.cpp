#include "positions.h"

#include <catch2/catch.hpp>

#include "random_model.h"

using namespace tokensieve;

TEST_CASE("positions of the same grid are left alone", "[engine][positions]") {
  const auto grid = test::random_values(3 * 4 * 5, 1);
  CHECK(resample_positions(grid, 3, 4, 3, 4, 5) == grid);
}

TEST_CASE("a constant table stays constant at any size", "[engine][positions]") {
  const int64_t height = GENERATE(1, 3, 16, 40), width = GENERATE(2, 10, 37);
  const std::vector<float> grid(10 * 10 * 2, 0.75f);
  for (const float value : resample_positions(grid, 10, 10, height, width, 2)) {
    CHECK(value == Approx(0.75f));
  }
}

// torch.nn.functional.interpolate(arange(4).view(1, 1, 1, 4), (1, 2 or 8), mode="bicubic",
// antialias=True), torch 2.13.
TEST_CASE("resampled positions equal PyTorch's antialiased bicubic", "[engine][positions]") {
  const std::vector<float> grid = {0, 1, 2, 3};
  const std::vector<float> two = {0.5867769f, 2.4132230f};
  const std::vector<float> eight = {-0.0882353f, 0.1678832f, 0.7099237f, 1.2500000f,
                                    1.7500000f,  2.2900763f, 2.8321168f, 3.0882351f};
  const auto check = [&](const std::vector<float>& expected) {
    const auto values = resample_positions(grid, 1, 4, 1, static_cast<int64_t>(expected.size()), 1);
    for (size_t i = 0; i < expected.size(); ++i)
      CHECK(values[i] == Approx(expected[i]).margin(1e-6));
  };
  check(two);
  check(eight);
}
