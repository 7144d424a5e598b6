#pragma once

#include <string_view>

namespace tokensieve::nn {

/// Whether a parameter belongs to a classifier: timm's head and head_dist, LV-ViT's aux_head.
inline bool is_classifier(std::string_view name) {
  return name.starts_with("head.") || name.starts_with("head_dist.") ||
         name.starts_with("aux_head.");
}

inline constexpr std::string_view kPredictors = "score_predictor.";  ///< DynamicViT's.
inline constexpr std::string_view kThresholds = "site_thresholds";   ///< AS-ViT's.

/// Whether a parameter is a method's own and no part of the backbone.
inline bool is_of_method(std::string_view name) {
  return name.starts_with(kPredictors) || name == kThresholds;
}

}  // namespace tokensieve::nn
