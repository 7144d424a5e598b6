#include "model/timm_config.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "model/labels.h"
#include "model/measure_vit.h"
#include "model/timm_architecture.h"
#include "model/timm_model_args.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr int kMaxImageSide = 16384;
constexpr int kMaxHeads = 1024;
constexpr std::size_t kMaxDepth = 1000;

const nlohmann::json& empty_object() {
  static const nlohmann::json object = nlohmann::json::object();
  return object;
}

/// An object inside `config`, empty if it is not there.
JsonObject part_of(const JsonObject& config, std::string_view key) {
  return config.has(key) ? config.object(key)
                         : JsonObject(empty_object(), config.file(), std::string(key));
}

std::pair<int, int> image_size(const JsonObject& args) {
  if (args.get("img_size").is_array()) {
    const auto sides = args.integers("img_size", 2, 1, kMaxImageSide);
    if (sides.size() != 2) args.fail("img_size", "a height and a width");
    return {sides[0], sides[1]};
  }
  const auto side = static_cast<int>(args.integer("img_size", 1, kMaxImageSide));
  return {side, side};
}

std::pair<int, int> input_size(const JsonObject& pretrained) {
  const auto sides = pretrained.integers("input_size", 3, 1, kMaxImageSide);
  if (sides.size() != 3) pretrained.fail("input_size", "channels, height and width");
  return {sides[1], sides[2]};
}

Pooling pooling_of(const JsonObject& config, const JsonObject& args, Pooling by_name) {
  const JsonObject& place = args.has("global_pool") ? args : config;
  if (!place.has("global_pool")) return by_name;
  const std::string word = place.text("global_pool");
  if (word == "token") return Pooling::class_token;
  if (word == "avg") return Pooling::mean;
  place.fail("global_pool", "\"token\" or \"avg\", the ones that are supported");
}

/// Heads of a block that is not pruned: as the arguments say, else as timm has it for that name.
int head_count(const JsonObject& args, int by_name, const ModelFolder& model) {
  if (args.has("num_heads")) return static_cast<int>(args.integer("num_heads", 1, kMaxHeads));
  if (by_name > 0) return by_name;
  const auto patch = model.weights->shape("patch_embed.proj.weight");
  if (patch.empty() || patch[0] % 64 != 0) {
    args.fail("num_heads",
              cat("given, since the width ", patch.empty() ? std::int64_t{0} : patch[0],
                  " is no multiple of 64"));
  }
  return static_cast<int>(patch[0] / 64);
}

/// MaiT's masked heads. Whether the blocks have such heads is checked when they are known.
AttentionMasks read_masks(const JsonObject& json) {
  AttentionMasks masks;
  for (const auto& [key, value] : json.json().items()) {
    if (key == "rows") {
      masks.rows = static_cast<int>(json.integer(key, 0, 255));
    } else if (key == "columns") {
      masks.columns = static_cast<int>(json.integer(key, 0, 255));
    } else if (key == "sees_prefix") {
      masks.sees_prefix = json.flag(key);
    } else if (key == "kind") {
      const std::string kind = json.text(key);
      if (kind != "multiplicative" && kind != "hard") {
        json.fail(key, "\"multiplicative\" or \"hard\"");
      }
      if (kind == "hard") masks.kind = AttentionMasks::Kind::hard;
    } else if (key == "heads") {
      if (!value.is_array() || value.size() > kMaxDepth) json.fail(key, "a list for each block");
      for (const nlohmann::json& block : value) {
        const nlohmann::json named = {{"heads", block}};
        masks.heads.push_back(JsonObject(named, json.file(), "tokensieve.attention_masks")
                                  .integers("heads", kMaxHeads, 0, kMaxHeads - 1));
      }
    } else {
      json.fail(key, "absent, since this version does not know it; get a newer tokensieve");
    }
  }
  return masks;
}

/// What timm cannot say, and hence our own folders say apart.
void read_extension(const JsonObject& config, VitHints& hints, VitConfig& vit,
                    std::vector<int>& mlp_dim) {
  const JsonObject ours = part_of(config, "tokensieve");
  for (const auto& [key, value] : ours.json().items()) {
    if (key == "num_heads") {
      hints.block_heads = ours.integers(key, kMaxDepth, 0, kMaxHeads);
    } else if (key == "mlp_dim") {
      mlp_dim = ours.integers(key, kMaxDepth, 0, 1 << 18);
    } else if (key == "layer_norm_eps") {
      vit.layer_norm_eps = static_cast<float>(ours.number(key, 1e-15, 1.0));
    } else if (key == "attention_masks") {
      vit.masks = read_masks(ours.object(key));
    } else if (key == "skip_lam") {
      vit.skip_lam = static_cast<float>(ours.number(key, 1e-6, 1e6));
    } else {
      ours.fail(key, "absent, since this version does not know it; get a newer tokensieve");
    }
  }
}

template <typename Parse>
auto parse_word(const JsonObject& pretrained, std::string_view key, Parse parse) {
  try {
    return parse(pretrained.text(key));
  } catch (const std::invalid_argument& error) {
    pretrained.fail(key, cat("a word that is known (", error.what(), ")"));
  }
}

Preprocessing read_preprocessing(const JsonObject& pretrained, const VitConfig& vit) {
  Preprocessing found;  // its defaults are timm's for keys that are absent
  found.height = vit.image_height;
  found.width = vit.image_width;
  if (pretrained.has("input_size")) {
    std::tie(found.height, found.width) = input_size(pretrained);
  }
  if (pretrained.has("crop_pct")) found.crop_pct = pretrained.number("crop_pct", 0.01, 4.0);
  if (pretrained.has("crop_mode")) {
    found.crop_mode = parse_word(pretrained, "crop_mode", parse_crop_mode);
  }
  if (pretrained.has("interpolation")) {
    found.interpolation = parse_word(pretrained, "interpolation", parse_interpolation);
  }
  if (pretrained.has("mean")) {
    std::ranges::copy(pretrained.numbers("mean", 3, -100.0, 100.0), found.mean.begin());
  }
  if (pretrained.has("std")) {
    std::ranges::copy(pretrained.numbers("std", 3, 1e-6, 1e6), found.std.begin());
  }
  if (found.height % vit.patch_size != 0 || found.width % vit.patch_size != 0) {
    pretrained.fail("input_size",
                    cat("of sides that are multiples of the patch size ", vit.patch_size));
  }
  return found;
}

void check_class_count(const JsonObject& config, int classes) {
  if (config.has("num_classes") && config.integer("num_classes", 0, 1 << 24) != classes) {
    config.fail("num_classes", cat("the ", classes, " of the tensor 'head.weight'"));
  }
}

}  // namespace

void read_timm_config(const JsonObject& config, const std::string& weights_file,
                      ModelFolder& model) {
  const JsonObject args = part_of(config, "model_args");
  // Before timm 0.9 all was one flat object.
  const JsonObject pretrained =
      config.has("pretrained_cfg") ? config.object("pretrained_cfg") : config;
  VitConfig vit;
  vit.name = without_tag(config.text("architecture"));
  const TimmArchitecture known = timm_architecture(vit.name, config.file());
  vit.pooling = pooling_of(config, args, known.pooling);
  vit.layer_norm_eps = known.layer_norm_eps;
  vit.skip_lam = known.skip_lam;
  vit.prefix_positions =
      args.has("no_embed_class") ? !args.flag("no_embed_class") : known.prefix_positions;

  VitHints hints;
  std::vector<int> mlp_dim;
  read_extension(config, hints, vit, mlp_dim);
  hints.num_heads = head_count(args, known.num_heads, model);
  if (args.has("img_size")) hints.image_sizes.push_back(image_size(args));
  if (pretrained.has("input_size")) hints.image_sizes.push_back(input_size(pretrained));

  model.vit = measure_vit(std::move(vit), hints, *model.weights, weights_file);
  if (!mlp_dim.empty() && mlp_dim != model.vit.mlp_dim) {
    config.object("tokensieve")
        .fail("mlp_dim", "what the tensors say, " + nlohmann::json(model.vit.mlp_dim).dump());
  }
  check_timm_model_args(args, model.vit);
  check_class_count(config.has("num_classes") ? config : pretrained, model.vit.num_classes);
  model.preprocessing = read_preprocessing(pretrained, model.vit);
  model.labels = read_labels(config, {"label_names", "labels"}, model.vit.num_classes);
  if (model.labels.empty()) {
    model.labels = read_labels(pretrained, {"label_names", "labels"}, model.vit.num_classes);
  }
}

void assume_timm_config(std::string_view architecture, const std::string& weights_file,
                        ModelFolder& model) {
  const nlohmann::json config = {{"architecture", architecture}};
  read_timm_config(JsonObject(config, "the architecture's name"), weights_file, model);
  model.preprocessing =
      timm_preprocessing(model.vit.name, model.vit.image_height, model.vit.image_width);
}

}  // namespace tokensieve
