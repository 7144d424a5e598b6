#include "tokensieve/data/text_loader.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

#include "tokensieve/core/error.h"
#include "tokensieve/data/mixing.h"
#include "tokensieve/data/random.h"

namespace tokensieve {
namespace {

/// What a number derived from the loader's seed is for.
enum Purpose : std::uint64_t { kTexts, kBatches };

void check_options(const TextLoaderOptions& options) {
  check_argument(options.batch_size >= 1, "[text_loader] expected batch_size from 1, got ",
                 options.batch_size);
  check_argument(options.bucket >= 1, "[text_loader] expected bucket from 1, got ", options.bucket);
  check_argument(options.label_smoothing >= 0 && options.label_smoothing < 1,
                 "[text_loader] expected label_smoothing in [0, 1), got ", options.label_smoothing);
}

void check_samples(const std::vector<TokenSample>& samples, int num_classes,
                   const TextLoaderOptions& options) {
  const std::size_t least = options.drop_last ? static_cast<std::size_t>(options.batch_size) : 1;
  check_argument(
      samples.size() >= least && samples.size() < std::numeric_limits<std::uint32_t>::max(),
      "[text_loader] expected at least ", least, " texts for a batch (and fewer than 2^32), got ",
      samples.size(), "; make batches smaller");
  for (const TokenSample& sample : samples) {
    check_argument(!sample.ids.empty() && sample.ids.size() == sample.types.size(),
                   "[text_loader] expected as many types as ids, and some, got ",
                   sample.types.size(), " and ", sample.ids.size());
    check_argument(sample.label >= 0 && sample.label < num_classes,
                   "[text_loader] expected labels 0 to ", num_classes - 1, ", got ", sample.label);
  }
}

}  // namespace

TextLoaderOptions text_evaluation_options(int batch_size) {
  TextLoaderOptions options;
  options.batch_size = batch_size;
  options.shuffle = false;
  options.drop_last = false;
  return options;
}

TextLoader::TextLoader(std::vector<TokenSample> samples, int num_classes,
                       const TextLoaderOptions& options)
    : samples_(std::move(samples)), num_classes_(num_classes), options_(options) {
  check_options(options);
  check_samples(samples_, num_classes, options);
}

std::int64_t TextLoader::steps_per_epoch() const {
  const auto count = static_cast<std::int64_t>(samples_.size());
  return options_.drop_last ? count / options_.batch_size
                            : (count + options_.batch_size - 1) / options_.batch_size;
}

void TextLoader::seek(std::int64_t step) {
  check_argument(step >= 0, "[text_loader] expected a step from 0, got ", step);
  step_ = step;
}

std::vector<std::uint32_t> TextLoader::order_of(std::int64_t epoch) const {
  const auto count = static_cast<std::uint32_t>(samples_.size());
  const auto shorter = [&](std::uint32_t a, std::uint32_t b) {
    return samples_[a].ids.size() < samples_[b].ids.size();
  };
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (!options_.shuffle) {
    std::ranges::stable_sort(order, shorter);
    return order;
  }
  const auto batch = static_cast<std::size_t>(options_.batch_size);
  const auto seed = [&](Purpose purpose) {
    return derived_seed(options_.seed, purpose, static_cast<std::uint64_t>(epoch));
  };
  order = Random(seed(kTexts)).permutation(count);
  if (options_.drop_last) order.resize(order.size() / batch * batch);
  const std::size_t pool = batch * static_cast<std::size_t>(options_.bucket);
  for (std::size_t first = 0; first < order.size(); first += pool) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(first);
    const auto size = static_cast<std::ptrdiff_t>(std::min(pool, order.size() - first));
    std::stable_sort(begin, begin + size, shorter);
  }
  // Whole batches change places; one that is shorter stays the last.
  const auto whole = static_cast<std::uint32_t>(order.size() / batch);
  std::vector<std::uint32_t> shuffled;
  shuffled.reserve(order.size());
  for (const std::uint32_t b : Random(seed(kBatches)).permutation(whole)) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(b * batch);
    shuffled.insert(shuffled.end(), begin, begin + static_cast<std::ptrdiff_t>(batch));
  }
  shuffled.insert(shuffled.end(), order.begin() + static_cast<std::ptrdiff_t>(shuffled.size()),
                  order.end());
  return shuffled;
}

TextBatch TextLoader::next() {
  TextBatch batch;
  batch.step = step_;
  batch.epoch = step_ / steps_per_epoch();
  if (batch.epoch != epoch_) {
    order_ = order_of(batch.epoch);
    epoch_ = batch.epoch;
  }
  const auto size = static_cast<std::size_t>(options_.batch_size);
  const std::size_t first = static_cast<std::size_t>(step_ % steps_per_epoch()) * size;
  const std::size_t count = std::min(size, order_.size() - first);
  for (std::size_t i = first; i < first + count; ++i) {
    const TokenSample& sample = samples_[order_[i]];
    batch.indices.push_back(order_[i]);
    batch.labels.push_back(sample.label);
    batch.length = std::max(batch.length, static_cast<std::int64_t>(sample.ids.size()));
  }
  batch.tokens.assign(count * 2 * static_cast<std::size_t>(batch.length), -1);
  auto row = batch.tokens.begin();
  for (const std::int64_t index : batch.indices) {
    const TokenSample& sample = samples_[static_cast<std::size_t>(index)];
    for (const auto* values : {&sample.ids, &sample.types}) {
      std::copy(values->begin(), values->end(), row);
      row += batch.length;
    }
  }
  batch.targets = soft_targets(batch.labels, num_classes_, options_.label_smoothing, 1.0);
  ++step_;
  return batch;
}

}  // namespace tokensieve
