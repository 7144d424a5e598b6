#include "model_facts.h"

#include "facts.h"
#include "runs.h"
#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/attention_masks_json.h"
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

std::string triple(const std::array<float, 3>& values) {
  return cat(values[0], " ", values[1], " ", values[2]);
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
             2 * masks.columns + 1, " patches, ", to_string(masks.kind));
}

json masks_json(const AttentionMasks& masks) {
  if (masks_text(masks).empty()) return json();
  return json::parse(attention_masks_json(masks));
}

// Parameters of each predictor; all are alike.
std::vector<int64_t> predictor_parameters(const ModelFolder& model) {
  if (!model.sieve) return {};
  const int count = count_predictors(model.vit, *model.sieve, "the predictors");
  return std::vector<int64_t>(static_cast<size_t>(count), count_values(*model.sieve) / count);
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

std::string model_text(const std::filesystem::path& path, const ModelFolder& model) {
  const VitConfig& vit = model.vit;
  const Preprocessing& pre = model.preprocessing;
  FactLines lines(path);
  lines.add("architecture",
            cat(vit.name, ": ", vit.depth(), " blocks of width ", vit.embed_dim, ", heads ",
                per_block(vit.num_heads), ", MLP ", per_block(vit.mlp_dim)));
  lines.add("input", cat(pre.width, " x ", pre.height, " pixels, patches of ", vit.patch_size, ": ",
                         (pre.width / vit.patch_size) * (pre.height / vit.patch_size),
                         " tokens and ", vit.num_prefix_tokens(), " prefix token(s)"));
  lines.add_parameters(path, model);
  if (const auto predictors = predictor_parameters(model); !predictors.empty()) {
    lines.add("predictors",
              cat(predictors.size(), ", one a site, of ", predictors.front(), " parameters each"));
  }
  if (const std::string masks = masks_text(vit.masks); !masks.empty())
    lines.add("masked heads", masks);
  lines.add("labels", labels_text(model.labels));
  lines.add("preprocessing", cat(crop_mode_name(pre.crop_mode), " crop of ", percent(pre.crop_pct),
                                 ", ", interpolation_name(pre.interpolation), ", mean ",
                                 triple(pre.mean), ", std ", triple(pre.std)));
  lines.add("recipe", model.recipe);
  lines.add_provenance(model);
  return lines.str();
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
          {"calibrations", calibrations_json(model)},
          {"provenance", provenance_json(model)},
          {"recipes", recipes}};
}

}  // namespace tokensieve::cli
