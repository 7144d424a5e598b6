#include <algorithm>

#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

namespace tokensieve {
namespace {

class ReceivedAttentionScorer final : public Scorer {
 public:
  explicit ReceivedAttentionScorer(int64_t n_ref) : n_ref_(n_ref) {
    check_argument(n_ref >= 0, "[received_attention] expected n_ref of at least 0, got ", n_ref);
  }

  AttentionRequest attention_request() const override { return AttentionRequest::column_mean; }
  std::string_view score_name() const override { return "attention received"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    const std::span<const float> mean = input.attention.column_mean;
    check_argument(mean.size() == scores.size(), "[received_attention] expected a column mean of ",
                   scores.size(), " values, got ", mean.size());
    std::copy(mean.begin(), mean.end(), scores.begin());
    if (n_ref_ == 0) return;
    // Not the rows of now: some may have left since that attention.
    const std::span<const int64_t> queries = input.attention.query_counts;
    check_argument(std::ssize(queries) == input.layout.batch(),
                   "[received_attention] expected the queries of ", input.layout.batch(),
                   " samples, got ", queries.size());
    for (int64_t b = 0; b < input.layout.batch(); ++b) {
      const float factor =
          static_cast<float>(queries[static_cast<size_t>(b)]) / static_cast<float>(n_ref_);
      for (int64_t i = input.layout.offset(b); i < input.layout.offset(b + 1); ++i) {
        scores[static_cast<size_t>(i)] *= factor;
      }
    }
  }

 private:
  int64_t n_ref_;
};

}  // namespace

std::unique_ptr<Scorer> received_attention_scorer(int64_t n_ref) {
  return std::make_unique<ReceivedAttentionScorer>(n_ref);
}

}  // namespace tokensieve
