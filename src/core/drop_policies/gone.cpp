#include "tokensieve/core/drop_policy.h"

namespace tokensieve {
namespace {

class GonePolicy final : public DropPolicy {
 public:
  bool is_gather() const override { return true; }

  void plan_sample(std::span<const int32_t> kept, std::span<const int32_t>, std::span<const float>,
                   TokenPlan& plan) const override {
    for (const int32_t row : kept) plan.keep(row);
  }
};

}  // namespace

std::unique_ptr<DropPolicy> gone_policy() { return std::make_unique<GonePolicy>(); }

}  // namespace tokensieve
