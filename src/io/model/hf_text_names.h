#pragma once

#include <string_view>

#include "model/mapped_weights.h"
#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve {

/// The tensors of a Hugging Face text model under the names of bert_tensors(): the backbone's with
/// the prefix that goes with `head`, whether the file has it or not; the LayerNorm's old gamma and
/// beta as weight and bias. Position buffers, pre-training heads and a pooler that nobody reads are
/// left out; other names that are not known stay as they are. `name` is the model_type.
TensorParts hf_text_parts(const SafetensorsFile& file, std::string_view name, TextHead head);

/// What a file without `architectures` is a model for, by the tensors of its head.
TextHead guess_text_head(const SafetensorsFile& file);

}  // namespace tokensieve
