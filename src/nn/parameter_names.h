#pragma once

#include <string_view>

namespace tokensieve::nn {

/// Whether a parameter belongs to a classifier: timm's head and head_dist, LV-ViT's aux_head.
inline bool is_classifier(std::string_view name) {
  return name.starts_with("head.") || name.starts_with("head_dist.") ||
         name.starts_with("aux_head.");
}

}  // namespace tokensieve::nn
