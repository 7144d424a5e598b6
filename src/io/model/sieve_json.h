#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tokensieve/core/calibration.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve {

/// Reads the text of a sieve.json into `model`: recipe, calibrations, provenance. Throws
/// std::runtime_error naming `file` and the key for anything else or anything that does not fit.
void read_sieve(std::string_view text, const std::string& file, ModelFolder& model);

/// The text of a sieve.json. Throws as read_sieve() where it could not be read again.
std::string sieve_text(const nlohmann::ordered_json& sieve, const std::string& file);

/// The object of a calibration, its keys in the order in which people read them.
nlohmann::ordered_json json_of(const Calibration& calibration);

}  // namespace tokensieve
