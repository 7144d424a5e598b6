#include "model/hf_names.h"

#include <optional>
#include <string_view>

namespace tokensieve {
namespace {

/// One module or parameter of transformers and where timm has it; `slot` orders parts of one
/// tensor.
struct Renaming {
  std::string_view theirs;
  std::string_view ours;
  int slot = 0;
};

constexpr Renaming kOutsideBlocks[] = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"layernorm.", "norm."},
    {"classifier.", "head."},
    {"cls_classifier.", "head."},
    {"distillation_classifier.", "head_dist."},
};

// transformers 4 beside 5, ViT and DeiT beside DINOv2.
constexpr Renaming kInBlocks[] = {
    {"layernorm_before.", "norm1."},
    {"norm1.", "norm1."},
    {"attention.attention.query.", "attn.qkv.", 0},
    {"attention.attention.key.", "attn.qkv.", 1},
    {"attention.attention.value.", "attn.qkv.", 2},
    {"attention.q_proj.", "attn.qkv.", 0},
    {"attention.k_proj.", "attn.qkv.", 1},
    {"attention.v_proj.", "attn.qkv.", 2},
    {"attention.output.dense.", "attn.proj."},
    {"attention.o_proj.", "attn.proj."},
    {"layer_scale1.lambda1", "ls1.gamma"},
    {"layernorm_after.", "norm2."},
    {"norm2.", "norm2."},
    {"intermediate.dense.", "mlp.fc1."},
    {"mlp.fc1.", "mlp.fc1."},
    {"output.dense.", "mlp.fc2."},
    {"mlp.fc2.", "mlp.fc2."},
    {"layer_scale2.lambda1", "ls2.gamma"},
};

constexpr std::string_view kUnread[] = {"pooler.", "embeddings.mask_token"};

struct Place {
  std::string name;
  int slot;
};

template <std::size_t Count>
std::optional<Place> rename(std::string_view name, const Renaming (&table)[Count]) {
  for (const auto& [theirs, ours, slot] : table) {
    if (!name.starts_with(theirs)) continue;
    return Place{std::string(ours) + std::string(name.substr(theirs.size())), slot};
  }
  return {};
}

/// Where timm has a tensor, if it is known.
std::optional<Place> place_of(std::string_view name, std::string_view distillation_token) {
  for (const std::string_view list : {"encoder.layer.", "layers."}) {
    if (!name.starts_with(list)) continue;
    const std::string_view rest = name.substr(list.size());  // "0.attention..."
    const auto dot = rest.find('.');
    if (dot == rest.npos) return {};
    auto place = rename(rest.substr(dot + 1), kInBlocks);
    if (place) place->name = "blocks." + std::string(rest.substr(0, dot + 1)) + place->name;
    return place;
  }
  if (name == "embeddings.distillation_token") return Place{std::string(distillation_token), 0};
  return rename(name, kOutsideBlocks);
}

bool is_unread(std::string_view name) {
  for (const std::string_view prefix : kUnread) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

TensorParts hf_tensor_parts(const SafetensorsFile& file) {
  const std::string_view distillation_token =
      file.contains("distillation_classifier.weight") ? "dist_token" : "reg_token";
  TensorParts parts;
  std::map<std::string, std::map<int, std::string>> slots;
  for (const std::string& name : file.names()) {
    std::string_view bare = name;
    for (const std::string_view model : {"vit.", "deit.", "dinov2."}) {
      if (bare.starts_with(model)) bare.remove_prefix(model.size());
    }
    if (is_unread(bare)) continue;
    const auto place = place_of(bare, distillation_token);
    if (place && slots[place->name].emplace(place->slot, name).second) continue;
    parts[name] = {name};  // unknown, or known twice: refused where all tensors are accounted for
  }
  for (const auto& [ours, theirs] : slots) {
    for (const auto& [slot, name] : theirs) parts[ours].push_back(name);
  }
  return parts;
}

}  // namespace tokensieve
