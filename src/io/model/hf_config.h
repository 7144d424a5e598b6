#pragma once

#include <string>

#include "model/json_object.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve {

/// Fills in vit and labels of `model` from config.json of a Hugging Face ViT, DeiT or DINOv2 and
/// `model.weights`, which have timm's names already. Throws runtime_error for another model and for
/// sizes of config.json that are not those of the tensors.
void read_hf_config(const JsonObject& config, const std::string& weights_file, ModelFolder& model);

/// Preprocessing as preprocessor_config.json has it, for a model whose position table is made for
/// the size of `vit`. Throws runtime_error for steps that tokensieve does not take.
Preprocessing read_hf_preprocessing(const JsonObject& config, const VitConfig& vit);

}  // namespace tokensieve
