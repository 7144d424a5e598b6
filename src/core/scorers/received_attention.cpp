#include <algorithm>

#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

namespace tokensieve {
namespace {

class ReceivedAttentionScorer final : public Scorer {
 public:
  AttentionRequest attention_request() const override { return AttentionRequest::column_mean; }
  std::string_view score_name() const override { return "attention received"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    const std::span<const float> mean = input.attention.column_mean;
    check_argument(mean.size() == scores.size(), "[received_attention] expected a column mean of ",
                   scores.size(), " values, got ", mean.size());
    std::copy(mean.begin(), mean.end(), scores.begin());
  }
};

}  // namespace

std::unique_ptr<Scorer> received_attention_scorer() {
  return std::make_unique<ReceivedAttentionScorer>();
}

}  // namespace tokensieve
