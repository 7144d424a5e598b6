#pragma once

#include <filesystem>
#include <string>

#include "tokensieve/core/calibration.h"

namespace tokensieve {

/// A calibration as the JSON object that sieve.json has of it; docs/formats.md names its keys.
std::string calibration_json(const Calibration& calibration);

/// Puts `calibration` into the sieve.json of a model folder, in place of the one of the same recipe
/// if there is one; what else is in the file stays, and without a file one is made. The file
/// changes whole or not at all. Throws std::invalid_argument as Calibration::validate() does, and
/// std::runtime_error for a sieve.json that does not open, or that cannot be written.
void save_calibration(const Calibration& calibration, const std::filesystem::path& folder);

}  // namespace tokensieve
