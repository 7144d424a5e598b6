#include "tokensieve/data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <vector>

#include "tokensieve/core/error.h"
#include "tokensieve/data/random.h"

namespace tokensieve {
namespace {

/// Which of `count` pictures of a class are held out.
std::vector<bool> choose(std::size_t count, double fraction, std::uint64_t seed, int label) {
  std::vector<bool> held_out(count, false);
  if (count < 2) return held_out;
  const auto wanted = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(count)));
  const auto order = Random(seed, static_cast<std::uint64_t>(label))
                         .permutation(static_cast<std::uint32_t>(count));
  const std::size_t chosen = std::clamp<std::size_t>(wanted, 1, count - 1);
  for (std::size_t i = 0; i < chosen; ++i) held_out[order[i]] = true;
  return held_out;
}

/// Cuts `samples`, which are sorted by label first, in two.
template <typename Item>
std::array<std::vector<Item>, 2> split(std::vector<Item> samples, double fraction,
                                       std::uint64_t seed) {
  check_argument(fraction > 0 && fraction < 1,
                 "[split_held_out] expected a fraction in (0, 1), got ", fraction);
  std::array<std::vector<Item>, 2> parts;
  for (auto first = samples.begin(); first != samples.end();) {
    const int label = first->label;
    const auto last =
        std::find_if(first, samples.end(), [&](const Item& s) { return s.label != label; });
    const std::vector<bool> held_out =
        choose(static_cast<std::size_t>(last - first), fraction, seed, label);
    for (const bool chosen : held_out) parts[chosen ? 1 : 0].push_back(std::move(*first++));
  }
  return parts;
}

}  // namespace

HeldOutSplit split_held_out(const ImageDataset& dataset, double fraction, std::uint64_t seed) {
  std::vector<Sample> samples = dataset.samples;
  std::ranges::sort(samples, {}, [](const Sample& sample) {
    return std::tie(sample.label, sample.path.native());
  });
  auto [train, held_out] = split(std::move(samples), fraction, seed);
  return {{dataset.classes, std::move(train)}, {dataset.classes, std::move(held_out)}};
}

HeldOutTexts split_held_out(const TextDataset& dataset, double fraction, std::uint64_t seed) {
  std::vector<TextSample> samples = dataset.samples;
  std::ranges::sort(samples, {}, [](const TextSample& sample) {
    return std::tie(sample.label, sample.text, sample.text_pair);
  });
  HeldOutTexts parts{dataset, dataset};
  auto [train, held_out] = split(std::move(samples), fraction, seed);
  parts.train.samples = std::move(train);
  parts.held_out.samples = std::move(held_out);
  return parts;
}

}  // namespace tokensieve
