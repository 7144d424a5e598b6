#pragma once

#include <string>
#include <vector>

#include "evaluation.h"
#include "tokensieve/core/calibration.h"

namespace tokensieve::cli {

/// A staircase without latencies, and the samples that were skipped.
struct Staircase {
  Calibration calibration;
  std::vector<std::string> skipped;
};

/// Runs dense and `recipe` at each of `densities` over the samples, as evaluate() does. An answer
/// with NaN logits agrees with nothing. Throws like evaluate().
Staircase measure_staircase(const LoadedModel& model, const Samples& samples,
                            const NamedRecipe& recipe, const std::vector<double>& densities,
                            const EvaluationOptions& options);

/// Times dense and the steps on this machine, one sample a call: in each of `repeat` turns another
/// one of a few, spread over `samples`, goes through all of them, starting with another one each
/// time. Throws std::runtime_error when none of those can be read.
MachineLatency measure_latency(const LoadedModel& model, const Calibration& calibration,
                               const Samples& samples, int repeat,
                               const EvaluationOptions& options);

/// The staircase as a table: each step's MACs, agreement with its bound, accuracy, and latency on
/// `machine` or, where it was not measured, on the first that was.
std::string to_text(const Calibration& calibration, const Machine& machine);

}  // namespace tokensieve::cli
