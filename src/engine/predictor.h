#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "norm.h"
#include "onednn/linear.h"
#include "tokensieve/core/reducer.h"
#include "tokensieve/engine/vit.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// Weights of one of DynamicViT's predictors (arXiv 2106.02034, eq. 2 to 6), packed:
///
///     u  = GELU(W_in LN(x) + b_in)                    [patches, C], epsilon 1e-5
///     z  = [u's first half, the mean over the patches of u's second half]
///     h  = GELU(W_2 GELU(W_1 z + b_1) + b_2)          [patches, C/4]
///     pi = softmax(W_3 h + b_3)                       channel 0 is "keep"
///
/// The mean is one row an image, so W_1 is cut by its columns: the part that reads the mean is
/// multiplied once an image and becomes the bias of the other part. Of W_3 only the difference of
/// the rows is needed, since log pi_0 = log sigmoid(o_0 - o_1).
struct Predictor {
  /// Reads `score_predictor.{site}.*` for a network of width `dim`.
  Predictor(const WeightSource& source, int site, int64_t dim, LinearCache& cache);

  Norm norm;
  Linear in_local, in_global;    ///< The halves of W_in, [C/2, C].
  Linear out_local, out_global;  ///< The halves of W_1, [C/2, C/2]; b_1 is the global one's.
  Linear second;                 ///< W_2.
  std::vector<float> margin;     ///< [C/4] row 0 of W_3 minus row 1.
  float margin_bias = 0.0f;

 private:
  struct Parts;
  Predictor(const Parts& parts, LinearCache& cache);
};

/// The predictors of a model at work in one run. All images' patches go through the linears as one
/// matrix, without the prefix rows.
class PredictorRun final : public TokenPredictor {
 public:
  PredictorRun(std::span<const Predictor> predictors, Workspace::Buffers& buffers)
      : predictors_(predictors), buffers_(buffers) {}
  void predict(const SiteInput& input, std::span<float> log_keep) override;

 private:
  std::span<const Predictor> predictors_;
  Workspace::Buffers& buffers_;
};

}  // namespace tokensieve
