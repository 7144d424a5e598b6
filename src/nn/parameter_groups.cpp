#include <map>
#include <tuple>

#include "tokensieve/core/error.h"
#include "tokensieve/nn/trainer.h"

namespace tokensieve::nn {
namespace {

/// 0 for the embedding, i + 1 for block i, depth + 1 behind the blocks.
int layer_of(const std::string& name, int depth) {
  if (name.starts_with("blocks.")) return std::stoi(name.substr(7)) + 1;
  const bool behind = name.starts_with("norm.") || name.starts_with("fc_norm.");
  return behind ? depth + 1 : 0;
}

}  // namespace

std::vector<ParameterGroup> parameter_groups(const VitImpl& network, const LearningRates& rates) {
  check_argument(rates.base > 0, "[parameter_groups] expected a positive base rate, got ", rates.base);
  check_argument(rates.layer_decay > 0 && rates.layer_decay <= 1,
                 "[parameter_groups] expected layer_decay in (0, 1], got ", rates.layer_decay);
  const int depth = network.config().depth();
  std::map<std::tuple<double, double, int64_t>, ParameterGroup> groups;
  for (const auto& item : network.named_parameters()) {
    const std::string& name = item.key();
    if (rates.freeze_embeddings && (name == "cls_token" || name == "pos_embed")) continue;
    double scale = 1.0;
    int64_t first_epoch = 0;
    if (name.starts_with("score_predictor.")) {
      scale = rates.predictors > 0 ? rates.predictors / rates.base : 1.0;
    } else if (name.starts_with("head")) {
      scale = rates.head > 0 ? rates.head / rates.base : 1.0;
    } else {
      for (int layer = layer_of(name, depth); layer < depth; ++layer) scale *= rates.layer_decay;
      first_epoch = rates.frozen_epochs;
    }
    // Tokens and positions have several axes but are no matrices; timm does not decay them either.
    const bool decays = item.value().dim() > 1 && !name.ends_with("_token") && name != "pos_embed";
    const double weight_decay = decays ? rates.weight_decay : 0.0;
    ParameterGroup& group = groups[{scale, weight_decay, first_epoch}];
    group.scale = scale;
    group.weight_decay = weight_decay;
    group.first_epoch = first_epoch;
    group.names.push_back(name);
    group.parameters.push_back(item.value());
  }
  std::vector<ParameterGroup> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

}  // namespace tokensieve::nn
