#include "tokensieve/data/split.h"

#include <algorithm>
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

}  // namespace

HeldOutSplit split_held_out(const ImageDataset& dataset, double fraction, std::uint64_t seed) {
  check_argument(fraction > 0 && fraction < 1,
                 "[split_held_out] expected a fraction in (0, 1), got ", fraction);
  std::vector<Sample> samples = dataset.samples;
  std::ranges::sort(samples, {}, [](const Sample& sample) {
    return std::tie(sample.label, sample.path.native());
  });
  HeldOutSplit split{{dataset.classes, {}}, {dataset.classes, {}}};
  for (auto first = samples.begin(); first != samples.end();) {
    const int label = first->label;
    const auto last =
        std::find_if(first, samples.end(), [&](const Sample& s) { return s.label != label; });
    const std::vector<bool> held_out =
        choose(static_cast<std::size_t>(last - first), fraction, seed, label);
    for (const bool chosen : held_out) {
      (chosen ? split.held_out : split.train).samples.push_back(std::move(*first++));
    }
  }
  return split;
}

}  // namespace tokensieve
