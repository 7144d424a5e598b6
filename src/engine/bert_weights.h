#pragma once

#include <optional>
#include <vector>

#include "block_weights.h"
#include "contributions.h"
#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// A text network's weights, packed, with those of its exits and contribution predictors if it has
/// any. Query scaling (head_dim^-0.5) is folded into qkv.
struct BertWeights {
  /// `sieve` may be null where the config has neither exits nor contributions.
  BertWeights(const BertConfig& config, const WeightSource& source, const WeightSource* sieve);

  LinearCache cache;
  std::vector<float> words, positions, types;  ///< [entries, embed_dim]; no types: empty.
  Norm embedding_norm;
  std::vector<BlockWeights> blocks;
  std::optional<Linear> pooler, classifier;
  std::vector<Linear> exits;                         ///< One a block but the last.
  std::vector<ContributionPredictor> contributions;  ///< One a block.
};

}  // namespace tokensieve
