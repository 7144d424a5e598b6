#include "tokensieve/core/error.h"
#include "tokensieve/core/scorer.h"
#include "tokensieve/core/token_predictor.h"

namespace tokensieve {
namespace {

class PredictorScorer final : public Scorer {
 public:
  AttentionRequest attention_request() const override { return AttentionRequest::none; }
  LearnedScore learned_score() const override { return LearnedScore::keep_probability; }
  bool logarithmic() const override { return true; }
  std::string_view score_name() const override { return "keep probability"; }

  void score(const SiteInput& input, std::span<float> scores) const override {
    check_argument(input.predictor != nullptr, "[predictor] expected a model with predictors at ",
                   to_string(input.site), ", got none; train or convert one, or use a score that ",
                   "needs no training, such as evit(keep=0.7)");
    input.predictor->predict(input, scores);
  }
};

}  // namespace

std::unique_ptr<Scorer> predictor_scorer() { return std::make_unique<PredictorScorer>(); }

}  // namespace tokensieve
