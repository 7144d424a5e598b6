#include "model/timm_architecture.h"

#include <algorithm>
#include <array>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

// Families of timm.models.vision_transformer and timm.models.deit.
constexpr std::string_view kFamilies[] = {"vit_",       "deit_",     "deit3_",
                                          "eva_large_", "flexivit_", "test_vit"};

// Parts of names that compute something else with the same tensors, or nearly.
struct Refused {
  std::string_view part_of_name;
  std::string_view reason;
};
constexpr Refused kRefused[] = {
    {"quickgelu", "the activation quick GELU is not supported"},
    {"vit_base_patch32_siglip", "the activation tanh GELU is not supported"},
    {"vit_giantopt_", "the activation tanh GELU is not supported"},
    {"vit_so400m_patch16_siglip", "the activation tanh GELU is not supported"},
    {"vit_large_patch16_siglip_512", "the activation tanh GELU is not supported"},
    {"vit_large_patch16_siglip_gap_512", "the activation tanh GELU is not supported"},
    {"_rpn_", "norms after the layers are not supported"},
    {"_rope", "rotary positions are not supported"},
    {"_dinov3", "rotary positions are not supported"},
    {"_lingbot", "rotary positions are not supported"},
    {"_sapiens", "rotary positions are not supported"},
    {"vit_pe_", "rotary positions are not supported"},
    {"relpos", "relative positions are not supported"},
};

// Architectures whose heads are not 64 wide.
struct Heads {
  std::string_view prefix;
  int num_heads;
};
constexpr Heads kHeads[] = {
    {"vit_huge_", 16},
    {"deit3_huge_", 16},
    {"vit_giant_patch14_224", 16},
    {"vit_giant_patch14_clip_", 16},
    {"vit_giant_patch16_gap_", 16},
    {"vit_gigantic_", 16},
    {"vit_so400m_", 16},
    {"vit_base_patch16_gap_", 16},
    {"test_vit", 2},
    {"lvvit_t", 4},
};

// Parts of names whose position table is of patches only (timm's no_embed_class).
constexpr std::string_view kPatchPositions[] = {"deit3_", "flexivit_", "_radio_", "_reg1_",
                                                "_reg4_"};

bool contains(std::string_view name, std::string_view part) { return name.find(part) != name.npos; }

float lvvit_skip_lam(std::string_view architecture) {
  return architecture.starts_with("lvvit_t")   ? 1.0f
         : architecture.starts_with("lvvit_l") ? 3.0f
                                               : 2.0f;
}

}  // namespace

std::string without_tag(std::string_view architecture) {
  return std::string(architecture.substr(0, architecture.find('.')));
}

bool is_lvvit(std::string_view architecture) { return architecture.starts_with("lvvit_"); }

bool is_timm_vit(std::string_view architecture) {
  return std::ranges::any_of(
      kFamilies, [&](std::string_view family) { return architecture.starts_with(family); });
}

TimmArchitecture timm_architecture(std::string_view architecture, const std::string& file) {
  check_runtime(is_timm_vit(architecture) || is_lvvit(architecture), "[model_folder] ", file,
                ": expected a ViT or DeiT architecture of timm, such as 'vit_small_patch16_224', or"
                " 'lvvit_s', got '",
                printable(architecture), "'");
  for (const auto& [part_of_name, reason] : kRefused) {
    check_runtime(!contains(architecture, part_of_name), "[model_folder] ", file,
                  ": cannot run architecture '", printable(architecture), "': ", reason);
  }
  TimmArchitecture found;
  for (const auto& [prefix, num_heads] : kHeads) {
    if (architecture.starts_with(prefix)) found.num_heads = num_heads;
  }
  if (contains(architecture, "_clip_") || is_lvvit(architecture)) found.layer_norm_eps = 1e-5f;
  if (is_lvvit(architecture)) found.skip_lam = lvvit_skip_lam(architecture);
  const bool mean = contains(architecture, "_gap_") || architecture.starts_with("eva_large_") ||
                    architecture.starts_with("test_vit2");
  if (mean) found.pooling = Pooling::mean;
  found.prefix_positions = contains(architecture, "_so150m") ||
                           std::ranges::none_of(kPatchPositions, [&](std::string_view part) {
                             return contains(architecture, part);
                           });
  return found;
}

Preprocessing timm_preprocessing(std::string_view architecture, int height, int width) {
  Preprocessing found;  // ImageNet's mean and standard deviation, bicubic
  found.height = height;
  found.width = width;
  const bool large_image = std::max(height, width) >= 384;
  if (contains(architecture, "dinov2")) {
    found.crop_pct = 1.0;
  } else if (contains(architecture, "_clip_") || contains(architecture, "_radio_") ||
             architecture.starts_with("eva_large_")) {
    found.crop_pct = 1.0;
    found.mean = {0.48145466f, 0.4578275f, 0.40821073f};
    found.std = {0.26862954f, 0.26130258f, 0.27577711f};
  } else if (is_lvvit(architecture)) {
    const bool small = architecture.starts_with("lvvit_t") || architecture.starts_with("lvvit_s");
    found.crop_pct = small && !large_image ? 0.9 : 1.0;
  } else if (architecture.starts_with("deit")) {
    found.crop_pct = large_image ? 1.0 : 0.9;
  } else {
    found.crop_pct = large_image ? 1.0 : contains(architecture, "_gap_") ? 0.95 : 0.9;
    found.mean = found.std = {0.5f, 0.5f, 0.5f};
  }
  return found;
}

std::string timm_carrier(const VitConfig& config) {
  const bool only_lvvit = config.stem_channels > 0 || config.aux_head || config.skip_lam != 1.0f;
  if (only_lvvit) return is_lvvit(config.name) ? config.name : "lvvit_s";
  const bool own_name =
      is_timm_vit(config.name) && contains(config.name, "_distilled_") == config.distilled;
  if (own_name) return config.name;
  if (config.distilled) return "deit_base_distilled_patch16_224";
  return config.layer_norm_eps == 1e-5f ? "vit_base_patch16_clip_224" : "vit_base_patch16_224";
}

}  // namespace tokensieve
