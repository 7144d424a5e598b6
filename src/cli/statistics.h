#pragma once

#include <cstdint>
#include <vector>

namespace tokensieve::cli {

/// The ends of a range, such as a 95 % confidence interval.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// Wilson's score interval for a share of `hits` in `count` > 0.
Interval wilson_interval(int64_t hits, int64_t count);

/// The interval for a difference of two shares measured on the same `count` > 0 samples (Agresti
/// and Min, Statistics in Medicine 24, 2005): the paired normal interval with half a sample added
/// to each of the four cells, which holds its level for few discordant samples too. `gained`
/// samples are right only in the second, `lost` only in the first.
Interval paired_interval(int64_t gained, int64_t lost, int64_t count);

/// The value below which the share `q` of the values lies, between neighbours by proportion.
/// `values` is not empty, `q` in [0, 1].
double quantile(std::vector<double> values, double q);

/// The middle value, or the mean of the two in the middle. `values` is not empty.
double median(std::vector<double> values);

/// The values a quarter and three quarters of the way through, between neighbours in proportion.
/// `values` is not empty.
Interval quartiles(std::vector<double> values);

}  // namespace tokensieve::cli
