#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokensieve/core/recipe.h"

namespace tokensieve {

/// What a latency holds for: on another processor, or with another number of threads or precision,
/// it is another one.
struct Machine {
  std::string cpu;  ///< Its name, as the system gives it.
  int threads = 1;
  std::string precision = "f32";

  bool operator==(const Machine&) const = default;
};

/// "Intel(R) Xeon(R) (6-143), threads: 2, f32"
std::string to_string(const Machine& machine);

/// Milliseconds of a call with one sample: the median of many calls, and their 10th and 90th
/// percentile.
struct Latency {
  double median = 0.0;
  double low = 0.0;
  double high = 0.0;

  bool operator==(const Latency&) const = default;
};

/// Latencies of a staircase on one machine, all from one run in which dense and the steps took
/// turns.
struct MachineLatency {
  Machine machine;
  Latency dense;
  std::vector<Latency> steps;  ///< One for each step.

  bool operator==(const MachineLatency&) const = default;
};

/// What a recipe did at one density.
struct CalibrationStep {
  double density = 0.0;            ///< Of the recipe's density_key().
  double macs = 0.0;               ///< Mean multiply-accumulates of a sample.
  int64_t agreed = 0;              ///< Samples that got the dense network's answer.
  std::optional<int64_t> correct;  ///< Right answers, where the samples have labels.

  bool operator==(const CalibrationStep&) const = default;
};

/// The staircase of a recipe: what each density costs and gives on the samples it was measured on,
/// from the densest step down.
struct Calibration {
  std::string recipe;   ///< Text of a recipe that has a density; at which one does not matter.
  int64_t samples = 0;  ///< On which it was measured.
  double dense_macs = 0.0;
  std::optional<int64_t> dense_correct;
  std::vector<CalibrationStep> steps;     ///< In order of falling MACs.
  std::vector<MachineLatency> latencies;  ///< One for each machine.

  bool operator==(const Calibration&) const = default;

  /// Throws std::invalid_argument, with the reason, when it does not hold together: a recipe that
  /// does not parse or cannot have one of the densities, counts beyond the samples, MACs that rise
  /// or are not positive and finite, labels for some of the steps only, latencies that are not one
  /// a step or not positive, a machine that comes twice, more than kMaxSteps or kMaxMachines.
  void validate() const;
  /// The recipe at the density of a step.
  Recipe at(size_t step) const;
  /// "keep=0.7"
  std::string step_name(size_t step) const;
  /// Whether `other` is the same recipe but for its density.
  bool is_of(const Recipe& other) const;
  /// The latencies of `machine`; null when it was not measured.
  const MachineLatency* on(const Machine& machine) const;

  static constexpr size_t kMaxSteps = 1000;
  static constexpr size_t kMaxMachines = 100;
  static constexpr int64_t kMaxSamples = 1'000'000'000;
  static constexpr double kMostMacs = 1e18;
  static constexpr double kMostMilliseconds = 1e9;
};

}  // namespace tokensieve
