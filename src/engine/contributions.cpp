#include "contributions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dot.h"
#include "tokensieve/core/bert_config.h"
#include "workspace.h"

namespace tokensieve {
namespace {

/// `values` become n softmax(values), so that an even share is 1 exactly.
void shares_of(std::span<float> values) {
  float top = -std::numeric_limits<float>::infinity();
  for (const float value : values) top = std::max(top, value);  // keeps `top` beside a NaN
  double sum = 0.0;
  for (float& value : values) {
    value = std::exp(value - top);
    if (!std::isnan(value)) sum += value;
  }
  const double scale = static_cast<double>(values.size()) / sum;
  for (float& value : values) value = static_cast<float>(value * scale);
}

}  // namespace

ContributionPredictor::ContributionPredictor(const WeightSource& source, const std::string& scope,
                                             int64_t dim, LinearCache& cache)
    : hidden(source, scope + ".hidden", dim, kContributionWidth, cache),
      output(source.read(scope + ".output.weight", std::vector<int64_t>{1, kContributionWidth})) {}

void ContributionRun::predict(const SiteInput& input, std::span<float> contributions) {
  const ContributionPredictor& predictor = predictors_[static_cast<size_t>(input.site.layer)];
  const RowsView<float> hidden =
      buffers_.linear(predictor.hidden, input.state, buffers_.hidden, Epilogue::gelu);
  buffers_.executed_macs += hidden.rows * hidden.cols;
  const RaggedLayout& layout = input.layout;
#pragma omp parallel for schedule(static) if (layout.batch() > 1)
  for (int64_t b = 0; b < layout.batch(); ++b) {
    for (int64_t i = layout.offset(b); i < layout.offset(b + 1); ++i) {
      contributions[static_cast<size_t>(i)] =
          dot(hidden.data + i * hidden.stride, predictor.output.data(), hidden.cols);
    }
    shares_of(contributions.subspan(static_cast<size_t>(layout.offset(b)),
                                    static_cast<size_t>(layout.count(b))));
  }
}

}  // namespace tokensieve
