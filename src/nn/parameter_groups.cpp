#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "parameter_names.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/trainer.h"

namespace tokensieve::nn {
namespace {

/// The block a parameter is in, by timm's names or Hugging Face's; -1 if it is in none.
int block_of(const std::string& name) {
  if (name.starts_with("blocks.")) return std::stoi(name.substr(7));
  constexpr std::string_view layer = ".layer.";
  const size_t found = name.find(layer);
  return found == std::string::npos ? -1 : std::stoi(name.substr(found + layer.size()));
}

/// 0 for the embedding, i + 1 for block i, depth + 1 after the blocks.
int layer_of(const std::string& name, int depth) {
  const bool behind = name.starts_with("norm.") || name.starts_with("fc_norm.") ||
                      name.find("pooler.") != std::string::npos ||
                      name.starts_with("pre_classifier.");
  return behind ? depth + 1 : block_of(name) + 1;
}

bool is_embedding(const std::string& name) {
  const bool table = name.ends_with("_embeddings.weight");
  return name == "cls_token" || name == "pos_embed" || table;
}

}  // namespace

void LearningRates::validate() const {
  check_argument(base > 0 && head >= 0 && predictors >= 0,
                 "[learning_rates] expected learning_rate above 0, head_learning_rate and "
                 "predictor_learning_rate of 0 or more, got ",
                 base, ", ", head, " and ", predictors);
  check_argument(weight_decay >= 0 && frozen_epochs >= 0,
                 "[learning_rates] expected weight_decay and frozen_epochs of 0 or more, got ",
                 weight_decay, " and ", frozen_epochs);
  check_argument(layer_decay > 0 && layer_decay <= 1,
                 "[learning_rates] expected layer_decay in (0, 1], got ", layer_decay);
}

double peak_rate(const LearningRates& rates) {
  return std::max({rates.base, rates.head, rates.predictors});
}

std::vector<ParameterGroup> parameter_groups(const torch::nn::Module& network,
                                             const LearningRates& rates) {
  rates.validate();
  int depth = 0;
  for (const auto& item : network.named_parameters())
    depth = std::max(depth, block_of(item.key()) + 1);
  const double peak = peak_rate(rates);
  std::map<std::tuple<double, double, int64_t, bool>, ParameterGroup> groups;
  for (const auto& item : network.named_parameters()) {
    const std::string& name = item.key();
    const bool frozen = rates.freeze_embeddings && is_embedding(name);
    item.value().set_requires_grad(!frozen);
    if (frozen) continue;
    double rate = rates.base;
    int64_t first_epoch = rates.frozen_epochs;
    if (is_of_method(name)) {
      // AdapLeR's predictors learn as the weights do, its bars at a rate of their own.
      if (name.starts_with(kExits)) {
        if (rates.head > 0) rate = rates.head;
      } else if (rates.predictors > 0 && !name.starts_with(kContributions)) {
        rate = rates.predictors;
      }
      first_epoch = 0;
    } else if (is_classifier(name)) {
      if (rates.head > 0) rate = rates.head;
    } else {
      for (int layer = layer_of(name, depth); layer < depth; ++layer) rate *= rates.layer_decay;
    }
    const double scale = rate / peak;
    // Tokens and positions have several axes but are no matrices; timm does not decay them either.
    const bool decays = item.value().dim() > 1 && name != kRankBins && !name.ends_with("_token") &&
                        name != "pos_embed";
    const double weight_decay = decays ? rates.weight_decay : 0.0;
    // The gradient of a threshold is of the order of 1 / temperature (LTP, 2107.00910): in a common
    // norm it would shrink that of the weights to nothing.
    const bool apart = decides(name);
    ParameterGroup& group = groups[{scale, weight_decay, first_epoch, apart}];
    group.scale = scale;
    group.weight_decay = weight_decay;
    group.first_epoch = first_epoch;
    group.clips_apart = apart;
    group.names.push_back(name);
    group.parameters.push_back(item.value());
  }
  std::vector<ParameterGroup> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

}  // namespace tokensieve::nn
