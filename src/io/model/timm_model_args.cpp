#include "model/timm_model_args.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace tokensieve {
namespace {

// Arguments that change how a model trains, or which sizes timm lets in, but not what it computes.
const std::set<std::string> kHarmless = {"attn_drop_rate",  "drop_path_rate",   "drop_rate",
                                         "dynamic_img_pad", "dynamic_img_size", "fix_init",
                                         "patch_drop_rate", "pos_drop_rate",    "proj_drop_rate",
                                         "strict_img_size", "weight_init"};

/// Arguments that must have one value, the default of VisionTransformer.
const nlohmann::json& supported_values() {
  static const nlohmann::json values = {{"act_layer", "gelu"},     {"pool_include_prefix", false},
                                        {"pos_embed", "learn"},    {"proj_bias", true},
                                        {"qk_norm", false},        {"scale_attn_norm", false},
                                        {"scale_mlp_norm", false}, {"use_naflex", false}};
  return values;
}

/// mlp_dim / embed_dim, the last bit chosen so that timm's int(embed_dim * ratio) is mlp_dim.
double mlp_ratio(const VitConfig& config) {
  const double dim = config.embed_dim;
  double ratio = config.mlp_dim.front() / dim;
  while (static_cast<int>(dim * ratio) < config.mlp_dim.front()) ratio = std::nextafter(ratio, 1e9);
  return ratio;
}

/// Whether an argument agrees with what the network's tensors say it is.
bool agrees(const std::string& key, const nlohmann::json& value, const nlohmann::json& actual,
            const VitConfig& config) {
  if (key == "mlp_ratio") {
    // Blocks of several widths are described elsewhere.
    const bool uniform = std::ranges::all_of(
        config.mlp_dim, [&](int width) { return width == config.mlp_dim.front(); });
    return value.is_number() &&
           (!uniform || std::trunc(config.embed_dim * value.get<double>()) == config.mlp_dim[0]);
  }
  if (key == "init_values") return value.is_number() && config.layer_scale;
  if (key == "fc_norm" && !config.final_norm && !config.fc_norm) return value.is_boolean();
  if (key == "no_embed_class" && config.num_prefix_tokens() == 0) return value.is_boolean();
  // An image size that is not the table's is served by interpolation, as timm does on loading.
  if (key == "img_size") return true;
  return value == actual;
}

}  // namespace

nlohmann::ordered_json timm_model_args(const VitConfig& config) {
  nlohmann::ordered_json args = {
      {"img_size", {config.image_height, config.image_width}},
      {"patch_size", config.patch_size},
      {"in_chans", config.in_channels},
      {"num_classes", config.num_classes},
      {"global_pool", config.pooling == Pooling::mean ? "avg" : "token"},
      {"embed_dim", config.embed_dim},
      {"depth", config.depth()},
      {"num_heads", std::max(1, config.embed_dim / config.head_dim)},
      {"mlp_ratio", mlp_ratio(config)},
      {"qkv_bias", config.qkv_bias},
      {"class_token", config.class_token},
      {"no_embed_class", !config.prefix_positions},
      {"reg_tokens", config.num_register_tokens},
      {"pre_norm", config.pre_norm},
      {"final_norm", config.final_norm || config.fc_norm},
      {"fc_norm", config.fc_norm},
  };
  // The value matters to training only; that there is one makes timm build layer scales.
  args["init_values"] = config.layer_scale ? nlohmann::ordered_json(1e-5) : nullptr;
  return args;
}

void check_timm_model_args(const JsonObject& args, const VitConfig& config) {
  const nlohmann::json actual = timm_model_args(config);
  for (const auto& [key, value] : args.json().items()) {
    if (value.is_null() || kHarmless.contains(key)) continue;  // null: the architecture's default
    if (actual.contains(key)) {
      if (!agrees(key, value, actual[key], config)) {
        args.fail(key, "what the tensors say, " + actual[key].dump());
      }
    } else if (!supported_values().contains(key)) {
      args.fail(key, "absent, since tokensieve does not know it");
    } else if (value != supported_values()[key]) {
      args.fail(key, supported_values()[key].dump() + ", the one that is supported");
    }
  }
}

}  // namespace tokensieve
