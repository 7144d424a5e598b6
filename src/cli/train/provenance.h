#pragma once

#include <optional>
#include <string>

#include "run.h"
#include "tokensieve/data/split.h"

namespace tokensieve::cli {

/// sieve.json's "provenance": what a model was trained from and how, as JSON.
/// `teacher_held_out_accuracy`: of a teacher whose labels were learned.
std::string provenance_json(const TrainConfig& config, const TrainPaths& paths,
                            const HeldOutSplit& split, int64_t epoch, double held_out_accuracy,
                            std::optional<double> teacher_held_out_accuracy = {});

}  // namespace tokensieve::cli
