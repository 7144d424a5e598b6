#include "tokensieve/core/triple_reducer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// The prunable rows of one sample, ascending.
struct Split {
  std::vector<int32_t> kept, dropped;

  /// `selected` are ascending positions after the prefix in a sample of `count` rows. Throws
  /// std::invalid_argument for others.
  Split(std::vector<int32_t> selected, size_t count, size_t prefix) : kept(std::move(selected)) {
    const auto most = static_cast<int64_t>(count - prefix);
    check_argument(std::ranges::adjacent_find(kept, std::greater_equal()) == kept.end() &&
                       (kept.empty() || (kept.front() >= 0 && kept.back() < most)),
                   "[triple_reducer] expected a selector's positions to ascend from 0, below ",
                   most);
    for (int32_t& row : kept) row += static_cast<int32_t>(prefix);
    dropped.reserve(count - prefix - kept.size());
    auto next_kept = kept.begin();
    for (auto row = static_cast<int32_t>(prefix); row < static_cast<int32_t>(count); ++row) {
      if (next_kept != kept.end() && *next_kept == row) {
        ++next_kept;
      } else {
        dropped.push_back(row);
      }
    }
  }
};

/// The rows of one sample; nothing of nothing.
std::span<float> own_part(std::vector<float>& rows, const RaggedLayout& layout, int64_t sample) {
  if (rows.empty()) return {};
  return std::span(rows).subspan(static_cast<size_t>(layout.offset(sample)),
                                 static_cast<size_t>(layout.count(sample)));
}

class TripleReducer final : public Reducer {
 public:
  TripleReducer(std::shared_ptr<const Scorer> scorer, std::shared_ptr<const Selector> selector,
                std::shared_ptr<const DropPolicy> policy)
      : scorer_(std::move(scorer)), selector_(std::move(selector)), policy_(std::move(policy)) {
    check_argument(scorer_ && selector_ && policy_,
                   "[triple_reducer] expected a scorer, a selector and a policy, got null");
  }

  AttentionRequest attention_request() const override { return scorer_->attention_request(); }

  LearnedScore learned_score() const override { return scorer_->learned_score(); }

  bool is_gather() const override { return policy_->is_gather(); }
  bool has_fixed_count() const override { return selector_->has_fixed_count(); }

  bool keeps_everything(int site_index) const override {
    return selector_->keeps_everything(site_index);
  }

  Reduction reduce(const SiteInput& input) const override {
    const RaggedLayout& layout = input.layout;
    const int prefix = input.num_prefix_tokens;
    check_argument(static_cast<int64_t>(input.input_counts.size()) == layout.batch(),
                   "[triple_reducer] expected ", layout.batch(), " input counts, got ",
                   input.input_counts.size());
    Reduction reduction;
    reduction.scores.resize(static_cast<size_t>(layout.rows()));
    reduction.score_name = scorer_->score_name();
    scorer_->score(input, reduction.scores);
    std::vector<float> logarithms;
    if (scorer_->logarithmic()) {
      logarithms = reduction.scores;
      for (float& score : reduction.scores) score = std::exp(score);
    }
    reduction.plan.reserve(layout.batch(), layout.rows());
    for (int64_t sample = 0; sample < layout.batch(); ++sample) {
      check_argument(layout.count(sample) >= prefix, "[triple_reducer] expected at least the ",
                     prefix, " prefix rows in sample ", sample, ", got ", layout.count(sample));
      const std::span<float> scores = own_part(reduction.scores, layout, sample);
      std::fill_n(scores.begin(), prefix, std::numeric_limits<float>::quiet_NaN());
      plan_sample(input, sample, scores, own_part(logarithms, layout, sample), reduction.plan);
    }
    return reduction;
  }

 private:
  /// `ranks` as Candidates has them, for all rows of the sample.
  void plan_sample(const SiteInput& input, int64_t sample, std::span<const float> scores,
                   std::span<const float> ranks, TokenPlan& plan) const {
    const auto prefix = static_cast<size_t>(input.num_prefix_tokens);
    const Candidates candidates{scores.subspan(prefix),
                                input.input_counts[static_cast<size_t>(sample)], input.site_index,
                                ranks.empty() ? ranks : ranks.subspan(prefix)};
    const Split split(selector_->select(candidates), scores.size(), prefix);
    plan.begin_sample(static_cast<int64_t>(scores.size()));
    for (size_t row = 0; row < prefix; ++row) plan.keep(static_cast<int32_t>(row));
    policy_->plan_sample(split.kept, split.dropped, scores, plan);
  }

  std::shared_ptr<const Scorer> scorer_;
  std::shared_ptr<const Selector> selector_;
  std::shared_ptr<const DropPolicy> policy_;
};

}  // namespace

std::shared_ptr<const Reducer> triple_reducer(std::shared_ptr<const Scorer> scorer,
                                              std::shared_ptr<const Selector> selector,
                                              std::shared_ptr<const DropPolicy> policy) {
  return std::make_shared<TripleReducer>(std::move(scorer), std::move(selector), std::move(policy));
}

}  // namespace tokensieve
