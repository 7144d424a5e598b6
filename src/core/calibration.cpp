#include "tokensieve/core/calibration.h"

#include <algorithm>
#include <cmath>

#include "recipe_grammar.h"
#include "text.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr size_t kMaxName = 200;  // of a processor or a precision, in bytes

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c != 0x7F; });
}

bool is_good(const Latency& latency) {
  return latency.low > 0 && latency.low <= latency.median && latency.median <= latency.high &&
         latency.high <= Calibration::kMostMilliseconds;
}

/// Equal, but for what scaling a list of thresholds rounds off.
bool alike(const RecipeCall& a, const RecipeCall& b) {
  constexpr double kRounding = 1e-5;
  return a.name == b.name &&
         std::ranges::equal(a.arguments, b.arguments, [&](const auto& x, const auto& y) {
           if (x == y) return true;
           if (x.first != y.first || !x.first.empty() || a.name != "threshold") return false;
           return std::ranges::equal(
               parse_numbers(x.second, "threshold"), parse_numbers(y.second, "threshold"),
               [](double s, double t) { return std::abs(s - t) <= kRounding * std::abs(t); });
         });
}

bool alike(const RecipeText& a, const RecipeText& b) {
  return a.sites == b.sites && a.to_last == b.to_last &&
         std::ranges::equal(a.parts, b.parts, [](const auto& x, const auto& y) {
           return x.first == y.first && alike(x.second, y.second);
         });
}

void check_macs(double macs) {
  check_argument(macs > 0 && macs <= Calibration::kMostMacs,
                 "[calibration] expected mean MACs above 0, at most ", Calibration::kMostMacs,
                 ", got ", macs);
}

void check_count(const char* what, int64_t count, int64_t samples) {
  check_argument(count >= 0 && count <= samples, "[calibration] expected 0 to ", samples, " ", what,
                 " samples, got ", count);
}

/// Throws for a density that the recipe cannot have. Lists of thresholds scale; where the ends of
/// the range are good, so is what lies between, and long lists are not scaled a thousand times.
void check_densities(const Recipe& recipe, const std::vector<CalibrationStep>& steps) {
  const std::string key = recipe.density_key();
  const auto by_density = [](const CalibrationStep& step) { return step.density; };
  const auto check = [&](const CalibrationStep& step) { recipe.with(key, step.density); };
  const bool finite =
      std::ranges::all_of(steps, [](const auto& s) { return std::isfinite(s.density); });
  if (finite && recipe.density().find('/') != std::string::npos) {
    const auto [least, most] = std::ranges::minmax_element(steps, {}, by_density);
    check(*least);
    check(*most);
  } else {
    std::ranges::for_each(steps, check);
  }
}

void check_latency(const MachineLatency& latency, size_t num_steps) {
  const Machine& machine = latency.machine;
  check_argument(is_name(machine.cpu) && is_name(machine.precision) && machine.threads > 0,
                 "[calibration] expected a machine with a processor and a precision of 1 to ",
                 kMaxName, " printable bytes and 1 thread or more, got ", machine.threads,
                 " threads");
  check_argument(latency.steps.size() == num_steps, "[calibration] expected one latency for each ",
                 "of ", num_steps, " steps, got ", latency.steps.size());
  check_argument(is_good(latency.dense) && std::ranges::all_of(latency.steps, is_good),
                 "[calibration] expected latencies with 0 < low <= median <= high, at most ",
                 Calibration::kMostMilliseconds, " ms");
}

}  // namespace

std::string to_string(const Machine& machine) {
  return cat(machine.cpu, ", threads: ", machine.threads, ", ", machine.precision);
}

void Calibration::validate() const {
  const Recipe parsed = Recipe::parse(recipe);
  const std::string key = parsed.density_key();
  check_argument(!key.empty(), "[calibration] expected a recipe with a density, got '", recipe,
                 "'");
  check_argument(samples > 0 && samples <= kMaxSamples, "[calibration] expected 1 to ", kMaxSamples,
                 " samples, got ", samples);
  check_argument(!steps.empty() && steps.size() <= kMaxSteps, "[calibration] expected 1 to ",
                 kMaxSteps, " steps, got ", steps.size());
  check_densities(parsed, steps);
  check_macs(dense_macs);
  check_count("correct", dense_correct.value_or(0), samples);
  for (size_t i = 0; i < steps.size(); ++i) {
    const CalibrationStep& step = steps[i];
    check_macs(step.macs);
    check_argument(i == 0 || step.macs <= steps[i - 1].macs,
                   "[calibration] expected steps in order of falling MACs, got ", step.macs,
                   " after ", steps[i - 1].macs);
    check_count("agreed", step.agreed, samples);
    check_argument(step.correct.has_value() == dense_correct.has_value(),
                   "[calibration] expected right answers of dense and of every step, or of none");
    check_count("correct", step.correct.value_or(0), samples);
  }
  check_argument(latencies.size() <= kMaxMachines, "[calibration] expected at most ", kMaxMachines,
                 " machines, got ", latencies.size());
  for (const MachineLatency& latency : latencies) {
    check_latency(latency, steps.size());
    check_argument(on(latency.machine) == &latency,
                   "[calibration] expected each machine once, got ", to_string(latency.machine),
                   " twice");
  }
}

Recipe Calibration::at(size_t step) const {
  const Recipe parsed = Recipe::parse(recipe);
  return parsed.with(parsed.density_key(), steps.at(step).density);
}

std::string Calibration::step_name(size_t step) const {
  return cat(Recipe::parse(recipe).density_key(), "=", format_number(steps.at(step).density));
}

bool Calibration::is_of(const Recipe& other) const {
  const Recipe parsed = Recipe::parse(recipe);
  const std::string key = parsed.density_key();
  if (key.empty() || key != other.density_key()) return false;
  try {
    return alike(parse_recipe_text(parsed.with(key, 1).str()),  // a density most recipes can have
                 parse_recipe_text(other.with(key, 1).str()));
  } catch (const std::invalid_argument&) {  // a list of thresholds that does not scale so far
    return false;
  }
}

const MachineLatency* Calibration::on(const Machine& machine) const {
  const auto found = std::ranges::find(latencies, machine, &MachineLatency::machine);
  return found == latencies.end() ? nullptr : &*found;
}

}  // namespace tokensieve
