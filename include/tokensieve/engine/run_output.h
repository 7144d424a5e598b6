#pragma once

#include <vector>

#include "tokensieve/core/macs.h"
#include "tokensieve/core/retention_trace.h"

namespace tokensieve {

/// What one sample of a run gives.
struct RunOutput {
  /// `[num_classes]`; `[tokens, num_classes]` where every token has logits; without a classifier
  /// the pooled features `[embed_dim]`.
  std::vector<float> logits;
  RetentionTrace trace;             ///< Which tokens stayed, site by site, and where it exited.
  std::vector<LayerTokens> layers;  ///< Rows in every block; 0 in those after an exit.
  MacCount macs;                    ///< Multiply-accumulates executed for this sample.
};

}  // namespace tokensieve
