#include <algorithm>

#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"

namespace tokensieve {
namespace {

class ClassAttentionScorer final : public Scorer {
 public:
  AttentionRequest attention_request() const override { return AttentionRequest::class_row; }
  std::string_view score_name() const override { return "class attention"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    const std::span<const float> row = input.attention.class_row;
    check_argument(input.num_prefix_tokens > 0, "[cls_attention] expected a class token in front, ",
                   "got no prefix tokens; use score=received_attention");
    check_argument(row.size() == scores.size(), "[cls_attention] expected a class row of ",
                   scores.size(), " values, got ", row.size());
    std::copy(row.begin(), row.end(), scores.begin());
  }
};

}  // namespace

std::unique_ptr<Scorer> class_attention_scorer() {
  return std::make_unique<ClassAttentionScorer>();
}

}  // namespace tokensieve
