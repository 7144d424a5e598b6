#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/token_predictor.h"

namespace tokensieve {
namespace {

class ContributionScorer final : public Scorer {
 public:
  AttentionRequest attention_request() const override { return AttentionRequest::none; }
  LearnedScore learned_score() const override { return LearnedScore::contribution; }
  std::string_view score_name() const override { return "contribution"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    check_argument(input.predictor != nullptr,
                   "[contribution] expected a model with contribution predictors at ",
                   to_string(input.site), ", got none; train one, or use a score that needs no ",
                   "training, such as ltp(threshold=0.01, n_ref=128)");
    input.predictor->predict(input, scores);
  }
};

}  // namespace

std::unique_ptr<Scorer> contribution_scorer() { return std::make_unique<ContributionScorer>(); }

}  // namespace tokensieve
