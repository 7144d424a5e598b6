#include "model/hf_config.h"

#include <cmath>

#include "model/labels.h"
#include "model/measure_vit.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr int kMaxImageSide = 16384;

/// A side, or a height and a width.
std::pair<int, int> sides(const JsonObject& object, std::string_view key) {
  if (object.get(key).is_array()) {
    const auto list = object.integers(key, 2, 1, kMaxImageSide);
    if (list.size() != 2) object.fail(key, "a height and a width");
    return {list[0], list[1]};
  }
  const auto side = static_cast<int>(object.integer(key, 1, kMaxImageSide));
  return {side, side};
}

void check_sizes(const JsonObject& config, const VitConfig& vit) {
  config.check_agrees("hidden_size", vit.embed_dim);
  config.check_agrees("num_hidden_layers", vit.depth());
  config.check_agrees("num_channels", vit.in_channels);
  const bool dinov2 = config.text("model_type") == "dinov2";
  for (const int width : vit.mlp_dim) {
    if (!dinov2) config.check_agrees("intermediate_size", width);
    if (!dinov2 || !config.has("mlp_ratio")) continue;
    const double ratio = config.number("mlp_ratio", 0, 1000);
    if (std::trunc(vit.embed_dim * ratio) != width) {
      config.fail("mlp_ratio", cat("what the tensors say, ", width, " / ", vit.embed_dim));
    }
  }
  const std::pair patch(vit.patch_size, vit.patch_size);
  if (config.has("patch_size") && sides(config, "patch_size") != patch) {
    config.fail("patch_size", cat("what the tensors say, ", vit.patch_size));
  }
  if (config.has("qkv_bias") && config.flag("qkv_bias") != vit.qkv_bias) {
    config.fail("qkv_bias", cat("what the tensors say, ", vit.qkv_bias ? "true" : "false"));
  }
}

/// Refuses what the tensors' names and shapes would not give away.
void check_supported(const JsonObject& config, const ModelFolder& model) {
  const std::string type = config.text("model_type");
  if (type != "vit" && type != "deit" && type != "dinov2") {
    config.fail("model_type", "\"vit\", \"deit\" or \"dinov2\"");
  }
  if (config.has("hidden_act") && config.text("hidden_act") != "gelu") {
    config.fail("hidden_act", "\"gelu\", the one that is supported");
  }
  if (config.has("use_swiglu_ffn") && config.flag("use_swiglu_ffn")) {
    config.fail("use_swiglu_ffn", "false; gated MLPs (SwiGLU) are not supported");
  }
  check_runtime(type != "dinov2" || !model.weights->contains("head.weight"), "[model_folder] ",
                config.file(), ": expected a Dinov2Model, got one with Hugging Face's classifier, ",
                "which reads the class token beside the mean of the patches and is not supported; ",
                "save the model without its head");
}

}  // namespace

void read_hf_config(const JsonObject& config, const std::string& weights_file, ModelFolder& model) {
  check_supported(config, model);
  VitConfig vit;
  vit.name = config.text("model_type");
  vit.layer_norm_eps = static_cast<float>(config.number("layer_norm_eps", 1e-15, 1.0));
  VitHints hints;
  hints.num_heads = static_cast<int>(config.integer("num_attention_heads", 1, 1024));
  if (config.has("image_size")) hints.image_sizes.push_back(sides(config, "image_size"));
  model.vit = measure_vit(std::move(vit), hints, *model.weights, weights_file);
  check_sizes(config, model.vit);
  model.labels = read_hf_labels(config, model.vit.num_classes);
}

}  // namespace tokensieve
