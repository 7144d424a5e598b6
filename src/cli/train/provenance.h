#pragma once

#include <string>

#include "prepared_run.h"

namespace tokensieve::cli {

/// sieve.json's "provenance": what a model was trained from and how, as JSON.
std::string provenance_json(const TrainConfig& config, const TrainPaths& paths,
                            const PreparedRun& run, int64_t epoch, double held_out_accuracy);

}  // namespace tokensieve::cli
