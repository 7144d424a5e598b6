#pragma once

#include <cstdint>

namespace tokensieve {

/// The regularised incomplete beta function I_x(a, b), the chance that a variable with the
/// distribution Beta(a, b) is at most `x` (continued fraction, DLMF 8.17.22). Throws
/// std::invalid_argument unless a, b > 0 and `x` is in [0, 1].
double incomplete_beta(double a, double b, double x);

/// The lower end of the one-sided Clopper-Pearson interval (Biometrika 26, 1934) for a share of
/// which `hits` of `count` samples were counted: with that confidence the true share is at least as
/// large, whatever it is. Solves I_p(hits, count - hits + 1) = 1 - confidence for p; 0 for no hits.
/// Throws std::invalid_argument unless 0 <= hits <= count, 0 < count and 0 < confidence < 1.
double clopper_pearson_lower(int64_t hits, int64_t count, double confidence = 0.95);

/// Whether that lower end is at least `share`, by one look at the distribution:
/// I_share(hits, count - hits + 1) <= 1 - confidence. Throws as it does, and for a share that is
/// not above 0 and below 1.
bool clopper_pearson_shows(int64_t hits, int64_t count, double share, double confidence = 0.95);

/// The fewest samples that could show a share of at least `share`: all of them hits, the smallest n
/// with (1 - confidence)^(1/n) >= share. 299 for 0.99. Throws std::invalid_argument unless both are
/// above 0 and below 1.
int64_t clopper_pearson_samples(double share, double confidence = 0.95);

}  // namespace tokensieve
