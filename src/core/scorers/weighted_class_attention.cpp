#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

namespace tokensieve {
namespace {

constexpr float kSmallest = 1e-8f;  // keeps a row without any output from dividing by 0

class WeightedClassAttentionScorer final : public Scorer {
 public:
  AttentionRequest attention_request() const override {
    return AttentionRequest::class_row_per_head | AttentionRequest::output_norm;
  }
  std::string_view score_name() const override { return "class attention, heads weighted"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    const RowsView<const float> attention = input.attention.class_row_per_head;
    const RowsView<const float> norms = input.attention.output_norm;
    const auto rows = static_cast<int64_t>(scores.size());
    check_argument(attention.rows > 0 && norms.rows == attention.rows && norms.cols == rows &&
                       attention.cols == rows,
                   "[weighted_cls_attention] expected class rows and output norms of ", rows,
                   " values for every head, got ", attention.rows, " x ", attention.cols, " and ",
                   norms.rows, " x ", norms.cols);
    for (int64_t row = 0; row < rows; ++row) {
      float sum = 0.0f, total = kSmallest;
      for (int64_t head = 0; head < norms.rows; ++head) {
        sum += norms.row(head)[row] * attention.row(head)[row];
        total += norms.row(head)[row];
      }
      scores[row] = sum / total;
    }
  }
};

}  // namespace

std::unique_ptr<Scorer> weighted_class_attention_scorer() {
  return std::make_unique<WeightedClassAttentionScorer>();
}

}  // namespace tokensieve
