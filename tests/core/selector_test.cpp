#include "tokensieve/core/selector.h"

#include <cmath>
#include <limits>

#include "refuses.h"

using namespace tokensieve;
using Kept = std::vector<int32_t>;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr TopKOptions kOfInput{TopKOptions::Of::input, TopKOptions::Round::floor};

Kept select(const Selector& selector, const std::vector<float>& scores, int site = 0) {
  return selector.select({scores, static_cast<int64_t>(scores.size()), site});
}

int64_t count(const Selector& selector, int64_t present, int64_t input, int site) {
  const std::vector<float> scores(static_cast<size_t>(present), 0.5f);
  return static_cast<int64_t>(selector.select({scores, input, site}).size());
}

/// Every kind of selector, at a density that keeps few.
std::vector<std::unique_ptr<Selector>> all_selectors() {
  std::vector<std::unique_ptr<Selector>> all;
  all.push_back(top_k_selector({0.01}));
  all.push_back(top_k_selector({0.01}, kOfInput));
  all.push_back(threshold_selector({1e30}));
  all.push_back(threshold_selector({1e30}, ThresholdOf::mean));
  all.push_back(mass_selector({1e-9}));
  return all;
}

}  // namespace

TEST_CASE("top-k keeps the best scores in row order", "[core][selector]") {
  CHECK(select(*top_k_selector({0.5}), {0.1f, 0.9f, 0.3f, 0.7f, 0.2f, 0.8f}) == Kept{1, 3, 5});
}

TEST_CASE("top-k breaks ties by the smaller index", "[core][selector]") {
  CHECK(select(*top_k_selector({0.5}), {1, 2, 2, 2, 2, 1}) == Kept{1, 2, 3});
  CHECK(select(*top_k_selector({0.5}), {0.0f, -0.0f, 0.0f, -0.0f}) == Kept{0, 1});
  CHECK(select(*top_k_selector({0.5}), {-0.0f, 0.0f, -0.0f, 0.0f}) == Kept{0, 1});
}

TEST_CASE("top-k ranks NaN after everything, negative infinity included", "[core][selector]") {
  CHECK(select(*top_k_selector({0.5}), {kNan, -kInfinity, kNan, -3.0f}) == Kept{1, 3});
  CHECK(select(*top_k_selector({0.5}), {-kNan, kInfinity, kNan, -3.0f}) == Kept{1, 3});
  CHECK(select(*top_k_selector({0.75}), {kNan, 1.0f, kNan, 2.0f}) == Kept{0, 1, 3});
}

TEST_CASE("top-k orders scores of both signs and all sizes", "[core][selector]") {
  const std::vector<float> scores = {-2.0f, 1e-40f, -1e-40f, 3e38f, 0.0f, -3e38f};
  CHECK(select(*top_k_selector({0.5}), scores) == Kept{1, 3, 4});
}

TEST_CASE("top-k of the rows present rounds up like EViT", "[core][selector]") {
  const auto selector = top_k_selector({0.7});
  SECTION("gone: 138, 97 and 68 of 196 patches stay") {
    CHECK(count(*selector, 196, 196, 0) == 138);
    CHECK(count(*selector, 138, 196, 1) == 97);
    CHECK(count(*selector, 97, 196, 2) == 68);
  }
  SECTION("fused: the fused row is a candidate at the next site") {
    CHECK(count(*selector, 196, 196, 0) == 138);
    CHECK(count(*selector, 139, 196, 1) == 98);
    CHECK(count(*selector, 99, 196, 2) == 70);
  }
}

TEST_CASE("top-k of the input rounds down like DynamicViT", "[core][selector]") {
  const auto [keep, first, second, third] =
      GENERATE(table<double, int64_t, int64_t, int64_t>({{0.9, 176, 158, 142},
                                                         {0.8, 156, 125, 100},
                                                         {0.7, 137, 96, 67},
                                                         {0.6, 117, 70, 42},
                                                         {0.5, 98, 49, 24}}));
  const auto selector = top_k_selector({keep}, kOfInput);
  CHECK(count(*selector, 196, 196, 0) == first);
  CHECK(count(*selector, first, 196, 1) == second);
  CHECK(count(*selector, second, 196, 2) == third);
}

TEST_CASE("DynamicViT's counts follow the grid of a 384 input", "[core][selector]") {
  const auto selector = top_k_selector({0.7}, kOfInput);
  CHECK(count(*selector, 576, 576, 0) == 403);
  CHECK(count(*selector, 403, 576, 1) == 282);
  CHECK(count(*selector, 282, 576, 2) == 197);
}

TEST_CASE("a list gives each site its own rate", "[core][selector]") {
  CHECK(count(*top_k_selector({0.9, 0.5}), 100, 100, 0) == 90);
  CHECK(count(*top_k_selector({0.9, 0.5}), 90, 100, 1) == 45);
  SECTION("of the input, rates multiply from site to site") {
    CHECK(count(*top_k_selector({0.9, 0.5}, kOfInput), 90, 100, 1) == 45);
    CHECK(count(*top_k_selector({0.5, 0.5}, kOfInput), 50, 100, 1) ==
          count(*top_k_selector({0.5}, kOfInput), 50, 100, 1));
  }
  CHECK(select(*threshold_selector({0.5, 0.1}), {0.2f, 0.6f}, 0) == Kept{1});
  CHECK(select(*threshold_selector({0.5, 0.1}), {0.2f, 0.6f}, 1) == Kept{0, 1});
  CHECK(select(*mass_selector({0.5, 1.0}), {0.2f, 0.6f}, 0) == Kept{1});
  CHECK(select(*mass_selector({0.5, 1.0}), {0.2f, 0.6f}, 1) == Kept{0, 1});
}

TEST_CASE("top-k clamps to what is there", "[core][selector]") {
  CHECK(count(*top_k_selector({0.9}, kOfInput), 5, 196, 0) == 5);
  CHECK(count(*top_k_selector({1e-300}), 5, 5, 0) == 1);
  CHECK(count(*top_k_selector({1e-300}, kOfInput), 5, 5, 9) == 1);
}

TEST_CASE("a threshold keeps every score that reaches it", "[core][selector]") {
  const auto selector = threshold_selector({0.7});
  CHECK(select(*selector, {0.7f, 0.69f, 0.71f, kNan, kInfinity}) == Kept{0, 2, 4});
  CHECK(select(*selector, {0.1f, 0.9f}) == Kept{1});
  CHECK(select(*threshold_selector({-1.0}), {-1.0f, -2.0f, 0.0f}) == Kept{0, 2});
}

TEST_CASE("a threshold of the mean follows the scores", "[core][selector]") {
  const auto selector = threshold_selector({0.5}, ThresholdOf::mean);  // mean 2, limit 1
  CHECK(select(*selector, {1.0f, 0.5f, 4.5f, 2.0f}) == Kept{0, 2, 3});
  CHECK(select(*selector, {10.0f, 5.0f, 45.0f, 20.0f}) == Kept{0, 2, 3});
  SECTION("NaN does not spoil it") {
    CHECK(select(*selector, {1.0f, kNan, 0.5f, 4.5f, 2.0f}) == Kept{0, 3, 4});
  }
}

TEST_CASE("mass keeps the shortest run of best scores that holds it", "[core][selector]") {
  const std::vector<float> scores = {0.4f, 0.1f, 0.25f, 0.05f, 0.2f};
  CHECK(select(*mass_selector({0.8}), scores) == Kept{0, 2, 4});
  CHECK(select(*mass_selector({0.4}), scores) == Kept{0});
  CHECK(select(*mass_selector({0.41}), scores) == Kept{0, 2});
  CHECK(select(*mass_selector({0.95}), scores) == Kept{0, 1, 2, 4});
  CHECK(select(*mass_selector({1.0}), scores) == Kept{0, 1, 2, 3, 4});
}

TEST_CASE("mass is relative to the rows present", "[core][selector]") {
  CHECK(select(*mass_selector({0.8}), {4.0f, 1.0f, 2.5f, 0.5f, 2.0f}) == Kept{0, 2, 4});
}

TEST_CASE("negative and NaN scores have no mass", "[core][selector]") {
  CHECK(select(*mass_selector({0.9}), {-5.0f, 0.5f, kNan, 0.5f}) == Kept{1, 3});
  CHECK(select(*mass_selector({0.9}), {-5.0f, kNan, -4.0f}) == Kept{2});
  CHECK(select(*mass_selector({0.9}), {0.5f, kInfinity, 0.5f}) == Kept{1});
}

TEST_CASE("mass breaks ties by the smaller index", "[core][selector]") {
  CHECK(select(*mass_selector({0.5}), {1, 1, 1, 1}) == Kept{0, 1});
}

TEST_CASE("every selector keeps at least one candidate, the best", "[core][selector]") {
  for (const auto& selector : all_selectors()) {
    CHECK(select(*selector, {0.1f, 0.2f, 0.4f, 0.3f}) == Kept{2});
    CHECK(select(*selector, {0.3f, 0.3f}) == Kept{0});
    CHECK(select(*selector, {kNan, kNan}) == Kept{0});
    CHECK(select(*selector, {0.3f}) == Kept{0});
  }
}

TEST_CASE("every selector keeps nothing of nothing", "[core][selector]") {
  for (const auto& selector : all_selectors()) CHECK(select(*selector, {}).empty());
  CHECK(select(*top_k_selector({1.0}), {}).empty());
  CHECK(select(*mass_selector({1.0}), {}).empty());
}

TEST_CASE("a selector says at which sites it keeps everything", "[core][selector]") {
  CHECK(top_k_selector({1.0})->keeps_everything(5));
  CHECK_FALSE(top_k_selector({0.999})->keeps_everything(0));
  CHECK(top_k_selector({0.9, 1.0})->keeps_everything(1));
  CHECK_FALSE(top_k_selector({0.9, 1.0})->keeps_everything(0));
  CHECK(mass_selector({1.0})->keeps_everything(0));
  CHECK_FALSE(mass_selector({0.99})->keeps_everything(0));
  CHECK_FALSE(threshold_selector({-1e30})->keeps_everything(0));
  SECTION("of the input, a rate of 1 does not undo the rates before it") {
    CHECK(top_k_selector({1.0, 0.9}, kOfInput)->keeps_everything(0));
    CHECK_FALSE(top_k_selector({0.9, 1.0}, kOfInput)->keeps_everything(1));
  }
}

TEST_CASE("selectors refuse numbers out of range", "[core][selector]") {
  const double wrong = GENERATE(0.0, -0.1, 1.0001, double{kNan}, double{kInfinity});
  CHECK_REFUSES(top_k_selector({wrong}), "[top_k] expected keep in (0, 1], got ");
  CHECK_REFUSES(top_k_selector({0.5, wrong}), "[top_k] expected keep in (0, 1], got ");
  CHECK_REFUSES(mass_selector({wrong}), "[mass] expected mass in (0, 1], got ");
}

TEST_CASE("a threshold must be a finite float32", "[core][selector]") {
  const double wrong = GENERATE(1e39, -1e39, double{kNan}, double{-kInfinity});
  CHECK_REFUSES(threshold_selector({wrong}), "expected threshold to be a finite float32, got ");
}

TEST_CASE("selectors refuse lists that do not cover the site", "[core][selector]") {
  CHECK_REFUSES(top_k_selector({}),
                "expected keep to be one number, or one for each site, got none");
  CHECK_REFUSES(threshold_selector({}), "got none");
  CHECK_REFUSES(mass_selector({}), "got none");
  CHECK_REFUSES(select(*top_k_selector({0.9, 0.8}), {1, 2}, 2), "for site 2, got 2 values");
}
