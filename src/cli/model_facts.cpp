#include "model_facts.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "runs.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/calibration_file.h"
#include "tokensieve/io/predictor_tensors.h"

namespace tokensieve::cli {
namespace {

using json = nlohmann::ordered_json;

std::vector<float> noise(size_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
  }
  return values;
}

// "6", or "6 6 4 6" where blocks differ.
std::string per_block(const std::vector<int>& values) {
  std::string text;
  bool same = true;
  for (const int value : values) {
    same = same && value == values.front();
    text += (text.empty() ? "" : " ") + std::to_string(value);
  }
  return same && !values.empty() ? std::to_string(values.front()) : text;
}

std::string triple(const std::array<float, 3>& values) {
  return cat(values[0], " ", values[1], " ", values[2]);
}

std::string labels_text(const std::vector<std::string>& labels) {
  constexpr size_t kShown = 10;
  if (labels.empty()) return "none";
  std::string text = std::to_string(labels.size()) + ":";
  for (size_t i = 0; i < std::min(kShown, labels.size()); ++i) {
    text += (i > 0 ? ", " : " ") + shorten(labels[i], 30);
  }
  return text + (labels.size() > kShown ? ", ..." : "");
}

json provenance_json(const ModelFolder& model) {
  return model.provenance.empty() ? json() : json::parse(model.provenance, nullptr, false);
}

std::string kind_of(const AttentionMasks& masks) {
  return masks.kind == AttentionMasks::Kind::hard ? "hard" : "multiplicative";
}

// "6 1 1 0 in blocks 0 to 3, 3 x 3 patches, multiplicative", or "" without masks.
std::string masks_text(const AttentionMasks& masks) {
  std::string counts;
  size_t total = 0;
  for (const auto& heads : masks.heads) {
    counts += (counts.empty() ? "" : " ") + std::to_string(heads.size());
    total += heads.size();
  }
  if (total == 0) return "";
  return cat(counts, " in blocks 0 to ", masks.heads.size() - 1, ", ", 2 * masks.rows + 1, " x ",
             2 * masks.columns + 1, " patches, ", kind_of(masks));
}

json masks_json(const AttentionMasks& masks) {
  if (masks_text(masks).empty()) return json();
  return {{"heads", masks.heads},
          {"rows", masks.rows},
          {"columns", masks.columns},
          {"kind", kind_of(masks)},
          {"sees_prefix", masks.sees_prefix}};
}

// An object as "key value, key (key value)".
std::string words_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [key, inner] : value.items()) {
    const std::string words = words_of(inner);
    text +=
        (text.empty() ? "" : ", ") + key + (inner.is_object() ? " (" + words + ")" : " " + words);
  }
  return text;
}

// 0 for a file that is not there.
std::uintmax_t bytes_of(const std::filesystem::path& file) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(file, missing);
  return missing ? 0 : bytes;
}

// Bytes of the weights, predictors included.
std::uintmax_t weight_bytes(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return bytes_of(path);
  return bytes_of(path / "model.safetensors") + bytes_of(path / "sieve.safetensors");
}

int64_t count_values(const WeightSource& weights) {
  int64_t count = 0;
  for (const std::string& name : weights.names()) {
    int64_t values = 1;
    for (const int64_t side : weights.shape(name)) values *= side;
    count += values;
  }
  return count;
}

// Parameters of each predictor; all are alike.
std::vector<int64_t> predictor_parameters(const ModelFolder& model) {
  if (!model.sieve) return {};
  const int count = count_predictors(model.vit, *model.sieve, "the predictors");
  return std::vector<int64_t>(static_cast<size_t>(count), count_values(*model.sieve) / count);
}

// Words in lines of at most `width` columns, later ones indented.
std::string wrapped(const std::string& text, size_t width, size_t indent) {
  std::istringstream words(text);
  std::string result, word;
  size_t column = 0;
  while (words >> word) {
    const size_t length = display_width(word);
    if (column > 0 && column + 1 + length > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    }
    result += (column > 0 ? " " : "") + word;
    column += length + (column > 0 ? 1 : 0);
  }
  return result;
}

}  // namespace

std::vector<RecipeCost> recipe_costs(const Classifier& classifier,
                                     const std::vector<NamedRecipe>& recipes) {
  const Preprocessing& size = classifier.folder().preprocessing;
  const std::vector<std::vector<float>> pixels{
      noise(3 * static_cast<size_t>(size.height) * static_cast<size_t>(size.width))};
  const auto batch = views_of(classifier.folder(), pixels);
  std::vector<RecipeCost> costs;
  for (const NamedRecipe& recipe : recipes) {
    const auto output = classifier.classify(batch, recipe.recipe).front().output;
    const bool fixed = recipe.recipe.compile(classifier.vit().config().depth()).has_fixed_counts();
    RecipeCost cost{recipe, fixed, {}, output.macs.total()};
    for (const LayerTokens& layer : output.layers) cost.tokens_per_layer.push_back(layer.mlp);
    costs.push_back(std::move(cost));
  }
  return costs;
}

int64_t count_parameters(const ModelFolder& model) {
  return count_values(*model.weights) + (model.sieve ? count_values(*model.sieve) : 0);
}

std::string model_text(const std::filesystem::path& path, const ModelFolder& model) {
  const VitConfig& vit = model.vit;
  const Preprocessing& pre = model.preprocessing;
  std::string text = bold(path.string()) + "\n";
  const size_t width = static_cast<size_t>(std::max(60, terminal_width())) - 18;
  const auto line = [&](std::string name, const std::string& value) {
    name.resize(14, ' ');
    text += "  " + dim(name) + "  " + wrapped(value, width, 18) + "\n";
  };
  line("architecture", cat(vit.name, ": ", vit.depth(), " blocks of width ", vit.embed_dim,
                           ", heads ", per_block(vit.num_heads), ", MLP ", per_block(vit.mlp_dim)));
  line("input", cat(pre.width, " x ", pre.height, " pixels, patches of ", vit.patch_size, ": ",
                    (pre.width / vit.patch_size) * (pre.height / vit.patch_size), " tokens and ",
                    vit.num_prefix_tokens(), " prefix token(s)"));
  line("parameters", cat(fixed(static_cast<double>(count_parameters(model)) / 1e6, 2), " million, ",
                         fixed(static_cast<double>(weight_bytes(path)) / 1e6, 1), " MB on disk"));
  if (const auto predictors = predictor_parameters(model); !predictors.empty()) {
    line("predictors",
         cat(predictors.size(), ", one a site, of ", predictors.front(), " parameters each"));
  }
  if (const std::string masks = masks_text(vit.masks); !masks.empty()) line("masked heads", masks);
  line("labels", labels_text(model.labels));
  line("preprocessing", cat(crop_mode_name(pre.crop_mode), " crop of ", percent(pre.crop_pct), ", ",
                            interpolation_name(pre.interpolation), ", mean ", triple(pre.mean),
                            ", std ", triple(pre.std)));
  line("recipe", model.recipe);
  const json provenance = provenance_json(model);
  if (provenance.is_object()) {
    for (const auto& [key, value] : provenance.items()) {
      line(key, words_of(value));
    }
  }
  return text;
}

std::string costs_text(const std::vector<RecipeCost>& costs) {
  Table table({{"recipe", false}, {"GMAC"}, {"of dense"}, {"tokens in each layer", false}});
  bool all_fixed = true;
  for (const RecipeCost& cost : costs) {
    std::string tokens;
    for (const int64_t count : cost.tokens_per_layer) tokens += std::to_string(count) + " ";
    const double share = static_cast<double>(cost.macs) / static_cast<double>(costs.front().macs);
    table.add({shorten(cost.recipe.name, 32) + (cost.fixed ? "" : " *"),
               giga(static_cast<double>(cost.macs)), percent(share, 0), tokens});
    all_fixed = all_fixed && cost.fixed;
  }
  return table.str() + (all_fixed ? "" : "* depends on the picture; counted on noise\n");
}

nlohmann::ordered_json model_json(const std::filesystem::path& path, const ModelFolder& model,
                                  const std::vector<RecipeCost>& costs) {
  const VitConfig& vit = model.vit;
  const Preprocessing& pre = model.preprocessing;
  json recipes = json::array();
  for (const RecipeCost& cost : costs) {
    recipes.push_back({{"name", cost.recipe.name},
                       {"recipe", cost.recipe.recipe.str()},
                       {"fixed", cost.fixed},
                       {"macs", cost.macs},
                       {"tokens_per_layer", cost.tokens_per_layer}});
  }
  json calibrations = json::array();
  for (const Calibration& calibration : model.calibrations) {
    calibrations.push_back(json::parse(calibration_json(calibration)));
  }
  return {{"model", path.string()},
          {"architecture", vit.name},
          {"depth", vit.depth()},
          {"embed_dim", vit.embed_dim},
          {"num_heads", vit.num_heads},
          {"mlp_dim", vit.mlp_dim},
          {"patch_size", vit.patch_size},
          {"num_classes", vit.num_classes},
          {"num_prefix_tokens", vit.num_prefix_tokens()},
          {"parameters", count_parameters(model)},
          {"predictors", predictor_parameters(model)},
          {"attention_masks", masks_json(vit.masks)},
          {"bytes", weight_bytes(path)},
          {"labels", model.labels},
          {"preprocessing",
           {{"height", pre.height},
            {"width", pre.width},
            {"crop_mode", crop_mode_name(pre.crop_mode)},
            {"crop_pct", pre.crop_pct},
            {"interpolation", interpolation_name(pre.interpolation)},
            {"mean", pre.mean},
            {"std", pre.std}}},
          {"recipe", model.recipe},
          {"calibrations", calibrations},
          {"provenance", provenance_json(model)},
          {"recipes", recipes}};
}

}  // namespace tokensieve::cli
