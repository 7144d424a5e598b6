#pragma once

#include <memory>
#include <span>

#include "tokensieve/core/token_plan.h"

namespace tokensieve {

/// What happens to the rows that were not selected.
class DropPolicy {
 public:
  virtual ~DropPolicy() = default;
  /// True when its output rows are all copies. Inside attention nothing else works: query rows can
  /// leave there, they cannot be summed.
  virtual bool is_gather() const = 0;
  /// Adds the rows of one sample to the plan (the caller has begun the sample and kept the prefix
  /// rows). `kept` and `dropped` are row numbers of the sample, ascending; `scores` `[count]` are
  /// indexed by row number.
  virtual void plan_sample(std::span<const int32_t> kept, std::span<const int32_t> dropped,
                           std::span<const float> scores, TokenPlan& plan) const = 0;
};

/// Dropped rows are gone.
std::unique_ptr<DropPolicy> gone_policy();
/// Dropped rows become one more row at the end: the sum of score_i * x_i, not normalised (EViT's
/// inattentive token fusion, arXiv 2202.07800 eq. 4). Scores that are not finite weigh nothing.
std::unique_ptr<DropPolicy> fuse_policy();

}  // namespace tokensieve
