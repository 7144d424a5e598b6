#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "model/json_object.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve {

/// Fills in all of `model` that config.json in timm's hub format and `model.weights` tell: config,
/// preprocessing and labels. Reads the flat format of old timm versions too. `weights_file` names
/// the tensors' file in messages. Throws runtime_error.
void read_timm_config(const JsonObject& config, const std::string& weights_file,
                      ModelFolder& model);

/// The same from the name of an architecture alone: for a file without config.json.
void assume_timm_config(std::string_view architecture, const std::string& weights_file,
                        ModelFolder& model);

/// config.json of a model, as timm's hub format has it, with an object "tokensieve" for what timm
/// cannot say.
nlohmann::ordered_json timm_config(const ModelFolder& model);

}  // namespace tokensieve
