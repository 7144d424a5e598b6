#pragma once

#include <nlohmann/json.hpp>

#include "model/json_object.h"
#include "tokensieve/core/vit_config.h"

namespace tokensieve {

/// The keyword arguments that make timm's VisionTransformer this network, whatever the defaults of
/// the architecture they are given to. Only a network without pruned blocks is exactly described.
nlohmann::ordered_json timm_model_args(const VitConfig& config);

/// Holds "model_args" of a config.json against the network that the tensors make. Throws
/// runtime_error for an argument that disagrees, asks for something not supported, or is not known.
void check_timm_model_args(const JsonObject& args, const VitConfig& config);

}  // namespace tokensieve
