#include "tokensieve/core/budget.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "calibration_fixture.h"
#include "refuses.h"
#include "tokensieve/core/clopper_pearson.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Kind = Budget::Kind;

namespace {

/// The density chosen, -1 for dense. Whatever is chosen, the recipe is that of the density.
double chosen(const Calibration& calibration, const Budget& budget) {
  const BudgetChoice choice = choose_density(calibration, budget, this_machine());
  CHECK(choice.reason.starts_with(budget_word(budget.kind)));
  if (!choice.density) {
    CHECK(choice.recipe.is_dense());
    CHECK_THAT(choice.reason, Catch::Contains("dense"));
    return -1;
  }
  CHECK(choice.recipe == Recipe::parse(calibration.recipe).with("keep", *choice.density));
  return *choice.density;
}

}  // namespace

TEST_CASE("A budget of MACs takes the densest step within it", "[core][budget]") {
  const Calibration calibration = timed(10, {9, 7, 5});
  CHECK(chosen(calibration, {Kind::macs, 3e9}) == -1);
  CHECK(chosen(calibration, {Kind::macs, 2.26e9}) == -1);
  CHECK(chosen(calibration, {Kind::macs, 2.2e9}) == 0.9);
  CHECK(chosen(calibration, {Kind::macs, 1.99e9}) == 0.9);
  CHECK(chosen(calibration, {Kind::macs, 1.98e9}) == 0.7);
  CHECK(chosen(calibration, {Kind::macs, 1.1e9}) == 0.5);
  CHECK_REFUSES(chosen(calibration, {Kind::macs, 1e9}),
                "expected macs of at least 1.1e9, those of keep=0.5, got 1e9");
}

TEST_CASE("A budget of time takes the densest step within it on this machine", "[core][budget]") {
  const Calibration calibration = timed(10, {9, 7, 5});
  CHECK(chosen(calibration, {Kind::latency_ms, 10}) == -1);
  CHECK(chosen(calibration, {Kind::latency_ms, 9.5}) == 0.9);
  CHECK(chosen(calibration, {Kind::latency_ms, 7}) == 0.7);
  CHECK(chosen(calibration, {Kind::latency_ms, 5}) == 0.5);
  CHECK_REFUSES(chosen(calibration, {Kind::latency_ms, 4}),
                "expected latency_ms of at least 5, that of keep=0.5, got 4");
}

TEST_CASE("A budget of time on a machine that was not measured is refused with the cure",
          "[core][budget]") {
  CHECK_REFUSES(chosen(staircase(), {Kind::latency_ms, 7}), "calibrate DATA --only-latency");
  const Calibration calibration = timed(10, {9, 7, 5});
  const Machine other{"A processor", 1, "f32"};
  CHECK_REFUSES(choose_density(calibration, {Kind::latency_ms, 7}, other),
                "(A processor, threads: 1, f32), got those of A processor, threads: 2, f32");
}

TEST_CASE("Agreement takes the cheapest step that the samples show to agree", "[core][budget]") {
  const Calibration calibration = timed(10, {9, 7, 5});
  REQUIRE(clopper_pearson_lower(999, 1000) == Approx(0.99527).epsilon(1e-4));
  REQUIRE(clopper_pearson_lower(995, 1000) == Approx(0.98952).epsilon(1e-4));
  REQUIRE(clopper_pearson_lower(950, 1000) == Approx(0.93706).epsilon(1e-4));
  CHECK(chosen(calibration, {Kind::agree, 0.93}) == 0.5);
  CHECK(chosen(calibration, {Kind::agree, 0.94}) == 0.7);
  CHECK(chosen(calibration, {Kind::agree, 0.989}) == 0.7);
  CHECK(chosen(calibration, {Kind::agree, 0.99}) == 0.9);
  CHECK(chosen(calibration, {Kind::agree, 0.9953}) == -1);
  CHECK_THAT(choose_density(calibration, {Kind::agree, 0.9953}, this_machine()).reason,
             Catch::Contains("keep=0.9 agrees in 0.995"));
}

TEST_CASE("Testing for agreement ends at the first step that fails", "[core][budget]") {
  Calibration calibration = timed(10, {9, 7, 5});
  calibration.steps[1].agreed = 900;
  calibration.steps[2].agreed = 1000;  // by luck
  CHECK(chosen(calibration, {Kind::agree, 0.99}) == 0.9);
  calibration.steps[0].agreed = 900;
  CHECK(chosen(calibration, {Kind::agree, 0.99}) == -1);
}

TEST_CASE("The chance that a chosen step agrees less often than asked is 5 % at most",
          "[core][budget]") {
  // Eight steps, all of which agree a little less often than asked: choosing any is the error.
  Calibration calibration = staircase();
  calibration.samples = 400;
  calibration.dense_correct.reset();
  calibration.steps.clear();
  for (int i = 0; i < 8; ++i) calibration.steps.push_back({0.9 - 0.1 * i, 2e9 - 1e8 * i, 0, {}});
  std::mt19937 random(7);
  std::binomial_distribution<int64_t> agreed(400, 0.949);
  int errors = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    for (CalibrationStep& step : calibration.steps) step.agreed = agreed(random);
    const auto choice = choose_density(calibration, {Kind::agree, 0.95}, this_machine());
    errors += choice.density.has_value() ? 1 : 0;
  }
  CHECK(errors > 0);                // the test could fail
  CHECK(errors < 0.065 * kTrials);  // 5 %, and three standard deviations of so many trials
}

TEST_CASE("Too few samples to show an agreement are refused with the number needed",
          "[core][budget]") {
  Calibration calibration = staircase();
  calibration.samples = 298;
  calibration.dense_correct = 290;
  for (CalibrationStep& step : calibration.steps) step = {step.density, step.macs, 298, 290};
  CHECK_REFUSES(chosen(calibration, {Kind::agree, 0.99}),
                "expected at least 299 calibration samples for agree=0.99, got 298");
  calibration.samples = 299;
  for (CalibrationStep& step : calibration.steps) step.agreed = 299;
  CHECK(chosen(calibration, {Kind::agree, 0.99}) == 0.5);
}

TEST_CASE("A step that is slower than dense is never chosen", "[core][budget]") {
  SECTION("whatever was asked, of a thousand random machines") {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> time(1, 20);
    for (int trial = 0; trial < 1000; ++trial) {
      const Calibration calibration =
          timed(time(random), {time(random), time(random), time(random)});
      const MachineLatency& latency = calibration.latencies[0];
      for (const Budget& budget :
           {Budget{Kind::macs, 2e9}, Budget{Kind::macs, 1.2e9}, Budget{Kind::agree, 0.9},
            Budget{Kind::agree, 0.98}, Budget{Kind::latency_ms, time(random)}}) {
        double density = -1;
        try {
          density = chosen(calibration, budget);
        } catch (const std::invalid_argument&) {
          continue;  // nothing is within the budget
        }
        for (size_t i = 0; i < 3; ++i) {
          if (calibration.steps[i].density != density) continue;
          CHECK(latency.steps[i].median <= latency.dense.median);
        }
      }
    }
  }
  SECTION("a sparser one that is faster takes its place") {
    CHECK(chosen(timed(10, {11, 7, 5}), {Kind::macs, 2e9}) == 0.7);
    CHECK(chosen(timed(10, {9, 7, 11}), {Kind::agree, 0.9}) == 0.7);
    CHECK(chosen(timed(10, {9, 11, 12}), {Kind::agree, 0.9}) == 0.9);
  }
  SECTION("dense is what remains, and says so") {
    const Calibration calibration = timed(10, {11, 12, 13});
    CHECK(chosen(calibration, {Kind::agree, 0.9}) == -1);
    CHECK(chosen(calibration, {Kind::macs, 1.5e9}) == -1);
    CHECK_THAT(choose_density(calibration, {Kind::macs, 1.5e9}, this_machine()).reason,
               Catch::Contains("dense, what fits is slower"));
    CHECK_REFUSES(chosen(calibration, {Kind::latency_ms, 9}), "no calibrated step is faster");
  }
  SECTION("as fast as dense is not slower") {
    CHECK(chosen(timed(10, {10, 10, 10}), {Kind::macs, 1.2e9}) == 0.5);
  }
}

TEST_CASE("A step that costs as much as dense is not chosen for its agreement", "[core][budget]") {
  Calibration calibration = staircase();
  calibration.steps[0].macs = 2.3e9;  // predictors that take more than a keep of 0.9 saves
  CHECK(chosen(calibration, {Kind::agree, 0.99}) == -1);
  CHECK(chosen(calibration, {Kind::macs, 2.3e9}) == -1);
}

TEST_CASE("A step that costs as much as dense is not chosen for its latency", "[core][budget]") {
  Calibration calibration = timed(10, {9.9, 7, 5});
  calibration.steps[0].macs = 2.3e9;
  CHECK(chosen(calibration, {Kind::latency_ms, 9.95}) == 0.7);
  CHECK_REFUSES(chosen(calibration, {Kind::latency_ms, 4}), "latency_ms of at least 5");
}

TEST_CASE("Where the machine was not measured a choice says so", "[core][budget]") {
  const auto choice = choose_density(staircase(), {Kind::macs, 1.5e9}, this_machine());
  CHECK(*choice.density == 0.7);
  CHECK_THAT(choice.reason, Catch::Contains("not measured on this machine"));
  const auto known = choose_density(timed(10, {9, 7, 5}), {Kind::macs, 1.5e9}, this_machine());
  CHECK(known.reason == "macs=1.5e9: keep=0.7, 1.47e9 on average");
  SECTION("and leaves out what is slower where it was") {
    const Machine other{"Another processor", 2, "f32"};
    CHECK(choose_density(timed(10, {9, 11, 5}), {Kind::macs, 1.5e9}, other).density == 0.5);
    const auto none = choose_density(timed(10, {9, 11, 12}), {Kind::macs, 1.5e9}, other);
    CHECK(none.recipe.is_dense());
    CHECK_THAT(none.reason, Catch::Contains("that was measured, as this one was not"));
  }
}

TEST_CASE("Budgets that make no sense are refused", "[core][budget]") {
  const Calibration calibration = timed(10, {9, 7, 5});
  for (const double value : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_REFUSES(chosen(calibration, {Kind::macs, value}), "expected macs above 0");
    CHECK_REFUSES(chosen(calibration, {Kind::latency_ms, value}), "expected latency_ms above 0");
    CHECK_REFUSES(chosen(calibration, {Kind::agree, value}), "expected agree above 0 and below 1");
  }
  CHECK_REFUSES(chosen(calibration, {Kind::agree, 1.0}), "below 1");
  CHECK_REFUSES(chosen(Calibration(), {Kind::macs, 1.0}), "expected a calibration with steps");
  CHECK_REFUSES(chosen(timed(10, {9, 7}), {Kind::macs, 1e9}), "and a latency for each");
}

TEST_CASE("A call has one budget or none", "[core][budget]") {
  CHECK_FALSE(one_budget({}, {}, {}));
  CHECK(one_budget(2e9, {}, {})->kind == Kind::macs);
  CHECK(one_budget({}, 7, {})->kind == Kind::latency_ms);
  CHECK(one_budget({}, {}, 0.99)->kind == Kind::agree);
  CHECK(one_budget({}, {}, 0.99)->value == 0.99);
  CHECK_REFUSES(one_budget({}, 7, 0.99),
                "expected one of macs, latency_ms and agree, got latency_ms "
                "and agree");
}

TEST_CASE("The calibration of a recipe is found, whatever its density", "[core][budget]") {
  std::array<Calibration, 2> both{staircase(), staircase()};
  both[1].recipe = "evit(keep=0.7, fuse)";
  CHECK(&find_calibration(both, Recipe::parse("evit(keep=0.3, fuse)")) == &both[1]);
  CHECK(&find_calibration(std::span(both).first(1), std::nullopt) == &both[0]);
  CHECK_REFUSES(find_calibration(both, std::nullopt), "say which recipe");
  CHECK_REFUSES(find_calibration({}, std::nullopt), "got none; make one: tokensieve calibrate");
  CHECK_REFUSES(find_calibration(both, Recipe::parse("evit(keep=0.3)")),
                "got 'dynamicvit(keep=0.7)', 'evit(keep=0.7, fuse)'; make one: tokensieve");
  CHECK_REFUSES(find_calibration(both, Recipe()), "expected a recipe with a density");
}
