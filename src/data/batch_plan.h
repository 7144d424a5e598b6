#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "tokensieve/data/image_loader.h"

namespace tokensieve {

/// Which pictures step t holds and the seeds they are changed by: arithmetic on the options alone.
class BatchPlan {
 public:
  BatchPlan(std::int64_t pictures, const LoaderOptions& options);

  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }

  /// Pictures in the batch.
  std::int64_t size_of(std::int64_t step) const;

  /// Their indices. Keeps the last epoch's order; for many threads.
  std::vector<std::int64_t> indices_of(std::int64_t step);

  std::uint64_t picture_seed(std::int64_t step, std::int64_t index) const;
  std::uint64_t mixture_seed(std::int64_t step) const;

 private:
  using Order = std::shared_ptr<const std::vector<std::uint32_t>>;
  Order order_of(std::int64_t epoch);

  std::int64_t pictures_;
  std::int64_t batch_size_;
  std::int64_t steps_per_epoch_;
  std::uint64_t seed_;
  bool shuffle_;
  std::mutex mutex_;
  std::int64_t epoch_ = -1;  // of order_
  Order order_;
};

}  // namespace tokensieve
