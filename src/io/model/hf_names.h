#pragma once

#include <string>

#include "model/mapped_weights.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve {

/// timm's names for the tensors of a Hugging Face ViT, DeiT or DINOv2, under the names of
/// transformers 4 and 5 with or without the model's prefix. Pooler and mask token, which
/// classification does not read, are left out; other names that are not known stay as they are. A
/// distillation token without a head of its own is served as a register token, which computes the
/// same.
TensorParts hf_tensor_parts(const SafetensorsFile& file);

}  // namespace tokensieve
