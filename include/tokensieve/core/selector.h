#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tokensieve {

/// What a selector sees of one sample.
struct Candidates {
  std::span<const float> scores;  ///< [present] scores of the prunable rows, in row order.
  int64_t input_count = 0;        ///< Prunable tokens the sample started with.
  int site_index = 0;             ///< 0 for the first site of the schedule.
  /// [present] what orders the rows where the scores have lost digits; empty: the scores.
  std::span<const float> ranks = {};

  std::span<const float> ranked_by() const { return ranks.empty() ? scores : ranks; }
};

/// Which rule turns scores into a keep set. All selectors agree on the edges: ties go
/// to the smaller index, NaN sorts last, and at least one candidate stays unless there is none.
class Selector {
 public:
  virtual ~Selector() = default;
  /// True when every candidate stays at this site whatever the scores.
  virtual bool keeps_everything(int site_index) const = 0;
  /// True when how many stay depends on how many there are alone.
  virtual bool has_fixed_count() const { return false; }
  /// Positions in `candidates.scores` that stay, ascending. Throws std::invalid_argument at a site
  /// for which there is no number.
  virtual std::vector<int32_t> select(const Candidates& candidates) const = 0;
};

/// What a keep rate is a fraction of, and how the count is rounded.
struct TopKOptions {
  enum class Of {
    present,  ///< keep * (rows present): EViT.
    input,    ///< (product of the rates up to this site) * (tokens at the input): DynamicViT.
  };
  enum class Round { ceil, floor };
  Of of = Of::present;
  Round round = Round::ceil;
};

/// The k best scores. `keep` has one rate in (0, 1] for all sites, or one for each site. Throws
/// std::invalid_argument otherwise.
std::unique_ptr<Selector> top_k_selector(std::vector<double> keep, TopKOptions options = {});

/// What a threshold is compared with.
enum class ThresholdOf {
  score,  ///< score >= threshold (LTP).
  mean,   ///< score >= threshold * mean of the rows present, NaN left out.
};
/// Thresholds that rise evenly from site to site to reach `last` after the last of `num_sites`:
/// last * (s + 1) / (num_sites + 1). With sites 1.. these are LTP's initial thresholds, last * l /
/// L in block l (arXiv 2107.00910).
std::vector<double> rising_thresholds(double last, int64_t num_sites);

/// Every score that reaches the threshold: another count for each sample. One value, or one for
/// each site; finite. Throws std::invalid_argument otherwise.
std::unique_ptr<Selector> threshold_selector(std::vector<double> threshold,
                                             ThresholdOf of = ThresholdOf::score);

/// The shortest run of best scores that holds at least `mass` in (0, 1] of the sum over the rows
/// present (SaiT, arXiv 2210.05832): another count for each sample. Negative and NaN scores have no
/// mass. Throws std::invalid_argument when mass is out of range.
std::unique_ptr<Selector> mass_selector(std::vector<double> mass);

}  // namespace tokensieve
