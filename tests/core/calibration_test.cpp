#include "tokensieve/core/calibration.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "calibration_fixture.h"
#include "refuses.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

void check_invalid(const std::function<void(Calibration&)>& change, const std::string& message) {
  Calibration calibration = timed(10, {9, 7, 5});
  calibration.validate();
  change(calibration);
  CHECK_REFUSES(calibration.validate(), message);
}

}  // namespace

TEST_CASE("A step is its recipe at its density", "[core][calibration]") {
  const Calibration calibration = staircase();
  CHECK(calibration.at(2) == Recipe::parse("dynamicvit(keep=0.5)"));
  CHECK(calibration.step_name(2) == "keep=0.5");
  CHECK_THROWS_AS(calibration.at(3), std::out_of_range);
}

TEST_CASE("A calibration is of its recipe at every density, and of no other",
          "[core][calibration]") {
  const auto [recipe, same, other] = GENERATE(table<std::string, std::string, std::string>({
      {"dynamicvit(keep=0.7)", "dynamicvit(keep=0.9/0.8/0.7)", "dynamicvit(threshold=0.5)"},
      {"evit(keep=0.7, fuse)", "evit(keep=0.2, fuse)", "evit(keep=0.7)"},
      {"evit(mass=0.9)", "evit(mass=0.5)", "evit(mass=0.9, sites=3/6)"},
      {"sait(keep=0.46)", "sait(keep=0.1)", "sait(mass=0.46)"},
      {"tome(r=13)", "tome(r=2)", "tome(r=13, attention=plain)"},
      {"ats(keep=1)", "ats(keep=0.3)", "ats(keep=1, sites=4..)"},
      {"asvit(threshold=0.001/0.002/0.003)", "asvit(threshold=0.002/0.004/0.006)",
       "asvit(threshold=4)"},
      {"random(keep=0.7)", "random(keep=0.2)", "random(keep=0.7, seed=1)"},
      {"random(keep=0.7)", "random(keep=1)", "dense"},
  }));
  Calibration calibration = staircase();
  calibration.recipe = recipe;
  CAPTURE(recipe);
  CHECK(calibration.is_of(Recipe::parse(same)));
  CHECK_FALSE(calibration.is_of(Recipe::parse(other)));
}

TEST_CASE("A list of thresholds is the same recipe at every density", "[core][calibration]") {
  Calibration calibration = staircase();
  calibration.recipe = GENERATE(
      "asvit(threshold=0.001/0.002/0.003)",
      "ltp(threshold=0.0023579702/0.0044360366/0.0065044467/0.006955111/0.014447185, n_ref=128, "
      "sites=1..5)");
  calibration.steps.clear();
  for (int step = 1; step <= 200; ++step) calibration.steps.push_back({1e-4 * step, 1e9, 1, {}});
  for (size_t step = 0; step < calibration.steps.size(); ++step) {
    CAPTURE(step);
    CHECK(calibration.is_of(calibration.at(step)));
  }
  CHECK_FALSE(calibration.is_of(Recipe::parse("asvit(threshold=0.001/0.002/0.0031)")));
}

TEST_CASE("Latencies are found by their machine, all of it", "[core][calibration]") {
  const Calibration calibration = timed(10, {9, 7, 5});
  CHECK(calibration.on(this_machine()) == &calibration.latencies[0]);
  CHECK(calibration.on({"Another processor", 2, "f32"}) == nullptr);
  CHECK(calibration.on({"A processor", 1, "f32"}) == nullptr);
  CHECK(calibration.on({"A processor", 2, "bf16"}) == nullptr);
  CHECK(to_string(this_machine()) == "A processor, threads: 2, f32");
}

TEST_CASE("A calibration that does not hold together is refused", "[core][calibration]") {
  const double nan = std::nan("");
  check_invalid([](auto& c) { c.recipe = "dense"; }, "expected a recipe with a density");
  check_invalid([](auto& c) { c.recipe = "evti"; }, "did you mean 'evit'");
  check_invalid([](auto& c) { c.samples = 0; }, "expected 1 to");
  check_invalid([](auto& c) { c.samples = Calibration::kMaxSamples + 1; }, "samples, got");
  check_invalid([](auto& c) { c.samples = 998; }, "0 to 998 agreed samples, got 999");
  check_invalid([](auto& c) { c.steps.clear(); }, "expected 1 to 1000 steps, got 0");
  check_invalid([](auto& c) { c.steps.assign(1001, c.steps[0]); }, "1000 steps, got 1001");
  check_invalid([](auto& c) { c.steps[1].density = 1.5; }, "(0, 1], got 1.5");
  check_invalid([&](auto& c) { c.steps[1].density = nan; }, "finite keep");
  check_invalid([](auto& c) { c.steps[1].macs = 2e9; }, "order of falling MACs");
  check_invalid([](auto& c) { c.steps[2].macs = 0; }, "mean MACs above 0");
  check_invalid([&](auto& c) { c.dense_macs = nan; }, "mean MACs above 0");
  check_invalid([](auto& c) { c.dense_macs = 1e19; }, "at most 1e+18");
  check_invalid([](auto& c) { c.steps[0].agreed = -1; }, "agreed samples, got -1");
  check_invalid([](auto& c) { c.steps[0].correct = 1001; }, "correct samples, got 1001");
  check_invalid([](auto& c) { c.dense_correct = -1; }, "correct samples, got -1");
  check_invalid([](auto& c) { c.steps[0].correct.reset(); }, "or of none");
  check_invalid([](auto& c) { c.dense_correct.reset(); }, "or of none");
  check_invalid([](auto& c) { c.latencies[0].steps.pop_back(); }, "3 steps, got 2");
  check_invalid([](auto& c) { c.latencies[0].steps[0] = {1, 2, 3}; }, "low <= median <= high");
  check_invalid([](auto& c) { c.latencies[0].dense.low = 0; }, "0 < low");
  check_invalid([&](auto& c) { c.latencies[0].dense.median = nan; }, "0 < low");
  check_invalid([](auto& c) { c.latencies[0].dense.high = 1e10; }, "at most 1e+09 ms");
  check_invalid([](auto& c) { c.latencies[0].machine.cpu = ""; }, "expected a machine with");
  check_invalid([](auto& c) { c.latencies[0].machine.cpu = "\x1b[2J"; }, "printable bytes");
  check_invalid([](auto& c) { c.latencies[0].machine.precision = std::string(201, 'f'); },
                "1 to 200 printable bytes");
  check_invalid([](auto& c) { c.latencies[0].machine.threads = 0; }, "1 thread or more, got 0");
  check_invalid([](auto& c) { c.latencies.push_back(c.latencies[0]); }, "once, got A processor");
  check_invalid([](auto& c) { c.latencies.assign(101, c.latencies[0]); }, "at most 100 machines");
}
