#pragma once

#include <string_view>

namespace tokensieve::nn {

/// Whether a parameter belongs to a classifier: timm's head and head_dist, LV-ViT's aux_head,
/// Hugging Face's classifier.
inline bool is_classifier(std::string_view name) {
  return name.starts_with("head.") || name.starts_with("head_dist.") ||
         name.starts_with("aux_head.") || name.starts_with("classifier.");
}

inline constexpr std::string_view kPredictors = "score_predictor.";  ///< DynamicViT's.
/// AS-ViT's, LTP's; AdapLeR's eta.
inline constexpr std::string_view kThresholds = "site_thresholds";
inline constexpr std::string_view kExits = "classifiers.";                    ///< PABEE's.
inline constexpr std::string_view kContributions = "contribution_predictor";  ///< AdapLeR's.
inline constexpr std::string_view kClassShares = "class_shares";              ///< AdapLeR's theta.
inline constexpr std::string_view kRankBins = "rank_bins";                    ///< ToP's.
inline constexpr std::string_view kSiteGates = "site_gates";                  ///< ToP's.
inline constexpr std::string_view kMultipliers = "multipliers";               ///< ToP's lambdas.

/// Whether a parameter is a method's few numbers that decide: thresholds, gates, multipliers.
inline bool decides(std::string_view name) {
  for (const std::string_view own :
       {kThresholds, kClassShares, kRankBins, kSiteGates, kMultipliers}) {
    if (name == own) return true;
  }
  return false;
}

/// Whether a parameter is a method's own and no part of the backbone.
inline bool is_of_method(std::string_view name) {
  return decides(name) || name.starts_with(kPredictors) || name.starts_with(kExits) ||
         name.starts_with(kContributions);
}

}  // namespace tokensieve::nn
