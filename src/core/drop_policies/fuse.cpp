#include <cmath>
#include <vector>

#include "tokensieve/core/drop_policy.h"

namespace tokensieve {
namespace {

class FusePolicy final : public DropPolicy {
 public:
  bool is_gather() const override { return false; }

  void plan_sample(std::span<const int32_t> kept, std::span<const int32_t> dropped,
                   std::span<const float> scores, TokenPlan& plan) const override {
    for (const int32_t row : kept) plan.keep(row);
    if (dropped.empty()) return;
    std::vector<Source> sources;
    sources.reserve(dropped.size());
    for (const int32_t row : dropped) {
      const float score = scores[static_cast<size_t>(row)];
      sources.push_back({row, std::isfinite(score) ? score : 0.0f});
    }
    plan.combine(sources);
  }
};

}  // namespace

std::unique_ptr<DropPolicy> fuse_policy() { return std::make_unique<FusePolicy>(); }

}  // namespace tokensieve
