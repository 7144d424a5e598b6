#pragma once

#include <string>

#include "tokensieve/core/attention_masks.h"

namespace tokensieve {

/// MaiT's masks as the JSON object `attention_masks` that config.json and files of tokensieve-train
/// have of them; docs/formats.md names its keys.
std::string attention_masks_json(const AttentionMasks& masks);

}  // namespace tokensieve
