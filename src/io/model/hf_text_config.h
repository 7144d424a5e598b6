#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/json_object.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve {

/// True for a config.json whose model_type is a text network's.
bool is_text_config(const JsonObject& config);

/// Opens the text model of a Hugging Face folder into `model`: `bert`, weights and labels. How an
/// embedding is pooled comes from sentence-transformers' files in `folder`, where they are. Throws
/// runtime_error.
void read_hf_text_model(const JsonObject& config, SafetensorsFile file,
                        const std::filesystem::path& folder, ModelFolder& model);

/// config.json of a text model, as transformers has it.
nlohmann::ordered_json hf_text_config(const ModelFolder& model);

}  // namespace tokensieve
