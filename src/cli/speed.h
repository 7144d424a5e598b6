#pragma once

#include <span>
#include <vector>

#include "evaluation.h"
#include "statistics.h"

namespace tokensieve::cli {

/// How fast a recipe is at one batch size.
struct Speed {
  int batch = 0;
  double samples_per_second = 0.0;  ///< Of the network: the median of the rounds.
  Interval samples_per_second_quartiles;
  double speedup = 0.0;  ///< Over the baseline: the median of the rounds' own ratios.
  Interval speedup_quartiles;
  double mac_gain = 0.0;    ///< The baseline's MACs over this one's, on the timed pictures.
  double efficiency = 0.0;  ///< speedup / mac_gain: the share of what the MACs allow.
};

/// Batch sizes that are timed, and how many samples are.
inline constexpr int kSpeedBatches[] = {1, 8};
inline constexpr size_t kSpeedSamples = 16;

/// Times the contenders, the baseline first, at each of kSpeedBatches on kSpeedSamples of the
/// samples that `indices` name, evenly spread over them; fewer samples come again. After a round to
/// warm up, every call of a recipe stands beside the same call of all others, in changing order, so
/// that a machine whose speed drifts treats all alike; nothing else runs meanwhile. Returns for
/// each contender its speed at each batch size. Throws std::runtime_error for a sample that cannot
/// be read.
std::vector<std::vector<Speed>> measure_speed(std::span<const Contender> contenders,
                                              std::span<const size_t> indices, int rounds);

}  // namespace tokensieve::cli
