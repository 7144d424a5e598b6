#include "batch_plan.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "tokensieve/data/random.h"

namespace tokensieve {
namespace {

/// What a number derived from the loader's seed is for.
enum Purpose : std::uint64_t { kOrder, kPicture, kMixture };

std::uint64_t seed_for(std::uint64_t seed, Purpose purpose, std::int64_t a, std::int64_t b = 0) {
  return derived_seed(derived_seed(seed, purpose), static_cast<std::uint64_t>(a),
                      static_cast<std::uint64_t>(b));
}

}  // namespace

BatchPlan::BatchPlan(std::int64_t pictures, const LoaderOptions& options)
    : pictures_(pictures),
      batch_size_(options.batch_size),
      steps_per_epoch_(options.drop_last ? pictures / batch_size_
                                         : (pictures + batch_size_ - 1) / batch_size_),
      seed_(options.seed),
      shuffle_(options.shuffle) {}

std::int64_t BatchPlan::size_of(std::int64_t step) const {
  return std::min(batch_size_, pictures_ - step % steps_per_epoch_ * batch_size_);
}

std::vector<std::int64_t> BatchPlan::indices_of(std::int64_t step) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(size_of(step)));
  const std::int64_t first = step % steps_per_epoch_ * batch_size_;
  std::iota(indices.begin(), indices.end(), first);
  if (!shuffle_) return indices;
  const Order order = order_of(epoch_of(step));
  for (std::int64_t& index : indices) index = (*order)[static_cast<std::size_t>(index)];
  return indices;
}

BatchPlan::Order BatchPlan::order_of(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) {
    Random random(seed_for(seed_, kOrder, epoch));
    order_ = std::make_shared<const std::vector<std::uint32_t>>(
        random.permutation(static_cast<std::uint32_t>(pictures_)));
    epoch_ = epoch;
  }
  return order_;
}

std::uint64_t BatchPlan::picture_seed(std::int64_t step, std::int64_t index) const {
  return seed_for(seed_, kPicture, epoch_of(step), index);
}

std::uint64_t BatchPlan::mixture_seed(std::int64_t step) const {
  return seed_for(seed_, kMixture, step);
}

}  // namespace tokensieve
