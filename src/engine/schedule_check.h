#pragma once

#include <span>

#include "tokensieve/core/attention_masks.h"
#include "tokensieve/core/schedule.h"

namespace tokensieve {

/// What a network has that a schedule may rely on.
struct NetworkFacts {
  const char* name = "";                ///< "[vit]", for messages.
  std::span<const int> num_heads = {};  ///< Per block.
  bool class_token = true;
  bool exits = false;  ///< A classifier after every block.
  int num_classes = 0;
  LearnedScore predicts = LearnedScore::none;  ///< What its predictors say.
  int num_predictors = 0;                      ///< Of keep probabilities.
  const AttentionMasks* masks = nullptr;       ///< May be null.
};

/// Throws std::invalid_argument when a network with these facts cannot run `schedule`.
void check_schedule(const NetworkFacts& network, const Schedule& schedule);

}  // namespace tokensieve
