#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluation.h"
#include "tokensieve/core/calibration.h"

namespace tokensieve::cli {

/// The pictures of a folder or a list. With labels where every picture has one that the model
/// knows; else without any, and for class folders that the model does not know a note on standard
/// error says so.
LabelledPictures open_calibration_pictures(const std::filesystem::path& data,
                                           const ModelFolder& model);

/// A staircase without latencies, and the pictures that were skipped.
struct Staircase {
  Calibration calibration;
  std::vector<std::string> skipped;
};

/// Runs dense and `recipe` at each of `densities` over the pictures, as evaluate() does. An answer
/// with NaN logits agrees with nothing. Throws like evaluate().
Staircase measure_staircase(const Classifier& classifier, const LabelledPictures& pictures,
                            const NamedRecipe& recipe, const std::vector<double>& densities,
                            const EvaluationOptions& options);

/// Times dense and the steps on this machine, one picture a call: in each of `repeat` turns another
/// picture of a few, spread over `pictures`, goes through all of them, starting with another one
/// each time. Throws std::runtime_error when none of those can be read.
MachineLatency measure_latency(const Classifier& classifier, const Calibration& calibration,
                               const LabelledPictures& pictures, int repeat,
                               const EvaluationOptions& options);

/// The staircase as a table: each step's MACs, agreement with its bound, accuracy, and latency on
/// `machine` or, where it was not measured, on the first that was.
std::string to_text(const Calibration& calibration, const Machine& machine);

}  // namespace tokensieve::cli
