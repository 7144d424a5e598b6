#include "tokensieve/nn/weights.h"

#include "parameter_names.h"
#include "tokensieve/core/error.h"

namespace tokensieve::nn {
namespace {

/// Whether a text network's parameter is after the last block.
bool is_head(const std::string& name) {
  return is_classifier(name) || name.find("pooler.") != std::string::npos ||
         name.starts_with("pre_classifier.");
}

torch::Tensor read(const WeightSource& weights, const std::string& name) {
  torch::Tensor tensor = torch::empty(weights.shape(name), torch::kFloat);
  weights.read(name, std::span(tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())));
  return tensor;
}

void copy(torch::Tensor parameter, const torch::Tensor& value, const std::string& name) {
  check_runtime(parameter.sizes() == value.sizes(), "[load_weights] expected '", name,
                "' of shape ", parameter.sizes(), ", got ", value.sizes(),
                "; config and weights disagree");
  torch::NoGradGuard guard;
  parameter.copy_(value);
}

/// The parameters whose names `wanted` takes, as float32.
template <typename Wanted>
std::shared_ptr<MemoryWeights> export_if(const torch::nn::Module& module, Wanted wanted) {
  auto weights = std::make_shared<MemoryWeights>();
  for (const auto& item : module.named_parameters()) {
    if (!wanted(item.key())) continue;
    const torch::Tensor value = item.value().detach().to(torch::kCPU, torch::kFloat).contiguous();
    const float* const data = value.const_data_ptr<float>();
    weights->set(item.key(), value.sizes().vec(), std::vector<float>(data, data + value.numel()));
  }
  return weights;
}

/// timm's resample_abs_pos_embed: the prefix stays, the grid is interpolated.
torch::Tensor resample(const torch::Tensor& positions, int64_t prefix, const LoadOptions& options,
                       const VitConfig& config) {
  check_runtime(positions.dim() == 3 &&
                    positions.size(1) == prefix + int64_t{options.grid_height} * options.grid_width,
                "[load_weights] expected 'pos_embed' with ", prefix, " + ", options.grid_height,
                " x ", options.grid_width, " rows, got ", positions.sizes());
  const torch::Tensor grid = positions.slice(1, prefix)
                                 .reshape({1, options.grid_height, options.grid_width, -1})
                                 .permute({0, 3, 1, 2});
  const torch::Tensor scaled = at::_upsample_bicubic2d_aa(
      grid, at::IntArrayRef({config.grid_height(), config.grid_width()}), /*align_corners=*/false);
  return torch::cat({positions.slice(1, 0, prefix), scaled.flatten(2).transpose(1, 2)}, 1);
}

}  // namespace

void load_weights(VitImpl& network, const WeightSource& weights, const LoadOptions& options) {
  const VitConfig& config = network.config();
  for (const auto& item : network.named_parameters()) {
    const std::string& name = item.key();
    if (is_of_method(name)) continue;
    const torch::Tensor& parameter = item.value();
    if (is_classifier(name) && options.head != LoadOptions::Head::load) {
      const bool fits =
          weights.contains(name) && parameter.sizes() == at::IntArrayRef(weights.shape(name));
      if (options.head == LoadOptions::Head::fresh || !fits) continue;
    }
    torch::Tensor value = read(weights, name);
    const bool other_grid =
        options.grid_height > 0 &&
        (options.grid_height != config.grid_height() || options.grid_width != config.grid_width());
    if (name == "pos_embed" && other_grid) {
      value = resample(value, config.prefix_positions ? config.num_prefix_tokens() : 0, options,
                       config);
    }
    copy(parameter, value, name);
  }
}

void load_weights(BertImpl& network, const WeightSource& weights, const BertConfig& source,
                  LoadOptions::Head head) {
  const std::string prefix = network.config().name + ".";
  for (const auto& item : network.named_parameters()) {
    const std::string& name = item.key();
    if (is_of_method(name)) continue;
    const bool bare = source.head == TextHead::embedding && name.starts_with(prefix);
    const std::string theirs = bare ? name.substr(prefix.size()) : name;
    if (is_head(name) && head != LoadOptions::Head::load) {
      const bool fits = weights.contains(theirs) &&
                        item.value().sizes() == at::IntArrayRef(weights.shape(theirs));
      if (!fits || (head == LoadOptions::Head::fresh && is_classifier(name))) continue;
    }
    copy(item.value(), read(weights, theirs), theirs);
  }
}

void load_parameters(torch::nn::Module& module, std::string_view prefix,
                     const WeightSource& weights) {
  for (const auto& item : module.named_parameters()) {
    if (item.key().starts_with(prefix)) copy(item.value(), read(weights, item.key()), item.key());
  }
}

std::shared_ptr<MemoryWeights> export_parameters(const torch::nn::Module& module,
                                                 std::string_view prefix) {
  return export_if(module, [&](const std::string& name) { return name.starts_with(prefix); });
}

std::shared_ptr<MemoryWeights> export_backbone(const torch::nn::Module& module) {
  return export_if(module, [](const std::string& name) { return !is_of_method(name); });
}

}  // namespace tokensieve::nn
