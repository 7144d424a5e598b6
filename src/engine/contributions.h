#pragma once

#include <span>
#include <string>
#include <vector>

#include "onednn/linear.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/engine/workspace.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Weights of one of AdapLeR's contribution predictors (arXiv 2203.08991), packed:
///
///     q = w_2 GELU(W_1 x + b_1) + b_2       [rows], of the rows that enter a block
struct ContributionPredictor {
  /// Reads `scope.hidden.*` and `scope.output.*` for a network of width `dim`.
  ContributionPredictor(const WeightSource& source, const std::string& scope, int64_t dim,
                        LinearCache& cache);

  Linear hidden;              ///< W_1, [32, C].
  std::vector<float> output;  ///< [32] w_2; a softmax does not see b_2.
};

/// The contribution predictors of a model, one a block, at work in one run. All texts' rows go
/// through the linear as one matrix; each text has a softmax of its own.
class ContributionRun final : public TokenPredictor {
 public:
  ContributionRun(std::span<const ContributionPredictor> predictors, Workspace::Buffers& buffers)
      : predictors_(predictors), buffers_(buffers) {}
  /// NaN for rows whose q is NaN; they do not count in the softmax.
  void predict(const SiteInput& input, std::span<float> contributions) override;

 private:
  std::span<const ContributionPredictor> predictors_;
  Workspace::Buffers& buffers_;
};

}  // namespace tokensieve
