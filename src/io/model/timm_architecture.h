#pragma once

#include <string>
#include <string_view>

#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/preprocess.h"

namespace tokensieve {

/// What timm's code, or LV-ViT's, knows of an architecture, and neither the tensors nor config.json
/// tell.
struct TimmArchitecture {
  int num_heads = 0;  ///< 0: as many as make heads of 64.
  Pooling pooling = Pooling::class_token;
  bool prefix_positions = true;
  float layer_norm_eps = 1e-6f;
  float skip_lam = 1.0f;
};

/// The name without its tag: "vit_small_patch14_dinov2.lvd142m" is "vit_small_patch14_dinov2".
std::string without_tag(std::string_view architecture);

/// Whether the name is one of LV-ViT's, which timm does not have: "lvvit_s" and its kin.
bool is_lvvit(std::string_view architecture);

/// Whether the name is one of timm's plain ViT or DeiT families, whatever its size.
bool is_timm_vit(std::string_view architecture);

/// What timm 1.0 builds under that name, or LV-ViT's authors under theirs. Throws runtime_error
/// naming `file` for families that are not plain ViTs and for members with another activation or
/// order of norms.
TimmArchitecture timm_architecture(std::string_view architecture, const std::string& file);

/// The evaluation transform of the architecture's first published weights at that image size.
Preprocessing timm_preprocessing(std::string_view architecture, int height, int width);

/// A timm architecture that becomes any network of this config through its keyword arguments: the
/// config's own name if timm may have it, else one with the same tokens and eps. "lvvit_s", or the
/// config's own name, for networks with parts that only LV-ViT has.
std::string timm_carrier(const VitConfig& config);

}  // namespace tokensieve
