#include <algorithm>
#include <array>

#include "model/timm_architecture.h"
#include "model/timm_config.h"
#include "model/timm_model_args.h"
#include "short_decimal.h"
#include "tokensieve/io/attention_masks_json.h"

namespace tokensieve {
namespace {

bool is_pruned(const VitConfig& vit) {
  return std::ranges::any_of(vit.num_heads,
                             [&](int heads) { return heads * vit.head_dim != vit.embed_dim; }) ||
         std::ranges::any_of(vit.mlp_dim, [&](int width) { return width != vit.mlp_dim.front(); });
}

std::array<double, 3> short_decimals(const std::array<float, 3>& values) {
  return {short_decimal(values[0]), short_decimal(values[1]), short_decimal(values[2])};
}

nlohmann::ordered_json extension(const VitConfig& vit, const std::string& architecture) {
  nlohmann::ordered_json ours;
  if (is_pruned(vit)) {
    ours["num_heads"] = vit.num_heads;
    ours["mlp_dim"] = vit.mlp_dim;
  }
  const TimmArchitecture known = timm_architecture(architecture, "config.json");
  if (known.layer_norm_eps != vit.layer_norm_eps) {
    ours["layer_norm_eps"] = short_decimal(vit.layer_norm_eps);
  }
  if (!vit.masks.heads.empty()) {
    ours["attention_masks"] = nlohmann::ordered_json::parse(attention_masks_json(vit.masks));
  }
  if (known.skip_lam != vit.skip_lam) ours["skip_lam"] = short_decimal(vit.skip_lam);
  return ours;
}

}  // namespace

nlohmann::ordered_json timm_config(const ModelFolder& model) {
  const VitConfig& vit = model.vit;
  const Preprocessing& input = model.preprocessing;
  const std::string architecture = timm_carrier(vit);
  nlohmann::ordered_json args = timm_model_args(vit);
  const bool table_fits = input.height == vit.image_height && input.width == vit.image_width;
  if (!table_fits) args["dynamic_img_size"] = true;  // timm then interpolates positions, as we do

  nlohmann::ordered_json config = {
      {"architecture", architecture},
      {"num_classes", vit.num_classes},
      {"num_features", vit.embed_dim},
      {"global_pool", args["global_pool"]},
  };
  if (!model.labels.empty()) config["label_names"] = model.labels;
  config["model_args"] = std::move(args);
  if (auto ours = extension(vit, architecture); !ours.empty()) config["tokensieve"] = ours;
  config["pretrained_cfg"] = {
      {"custom_load", false},
      {"input_size", {vit.in_channels, input.height, input.width}},
      {"fixed_input_size", table_fits},
      {"interpolation", interpolation_name(input.interpolation)},
      {"crop_pct", input.crop_pct},
      {"crop_mode", crop_mode_name(input.crop_mode)},
      {"mean", short_decimals(input.mean)},
      {"std", short_decimals(input.std)},
      {"num_classes", vit.num_classes},
      {"pool_size", nullptr},
      {"first_conv", vit.stem_channels > 0 ? "patch_embed.conv1" : "patch_embed.proj"},
      {"classifier", "head"},
  };
  if (vit.distilled) config["pretrained_cfg"]["classifier"] = {"head", "head_dist"};
  if (vit.aux_head) config["pretrained_cfg"]["classifier"] = {"head", "aux_head"};
  return config;
}

}  // namespace tokensieve
