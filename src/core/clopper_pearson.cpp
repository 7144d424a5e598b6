#include "tokensieve/core/clopper_pearson.h"

#include <algorithm>
#include <cmath>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

/// 1 / (1 + d1 / (1 + d2 / ...)) of DLMF 8.17.22, by Lentz's method. It needs about sqrt(max(a, b))
/// terms where x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;  // in place of 0, which Lentz's method would divide by
  constexpr double kEpsilon = 1e-16;
  constexpr int kMostTerms = 1'000'000;
  const auto nonzero = [&](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1.0 / kTiny, d = 1.0, fraction = 1.0;
  for (int i = 1; i < kMostTerms; ++i) {
    const double m = i / 2;
    const double term = i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1.0 / nonzero(1.0 + term * d);
    c = nonzero(1.0 + term / c);
    fraction *= c * d;
    if (std::abs(1.0 - c * d) <= kEpsilon) break;
  }
  return fraction;
}

/// std::lgamma, but threads that call at once do not share its sign.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

void check_counts(int64_t hits, int64_t count, double confidence) {
  check_argument(count > 0 && hits >= 0 && hits <= count,
                 "[clopper_pearson] expected 0 to count hits of a count above 0, got ", hits,
                 " of ", count);
  check_argument(confidence > 0 && confidence < 1,
                 "[clopper_pearson] expected a confidence above 0 and below 1, got ", confidence);
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  check_argument(a > 0 && b > 0 && x >= 0 && x <= 1,
                 "[incomplete_beta] expected a, b > 0 and x in [0, 1], got ", a, ", ", b, ", ", x);
  if (x == 0 || x == 1) return x;
  if (x > (a + 1) / (a + b + 2)) return 1.0 - incomplete_beta(b, a, 1.0 - x);
  const double log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) / a;
  return front * beta_fraction(a, b, x);
}

double clopper_pearson_lower(int64_t hits, int64_t count, double confidence) {
  check_counts(hits, count, confidence);
  const double alpha = 1.0 - confidence;
  const auto k = static_cast<double>(hits), n = static_cast<double>(count);
  if (hits == 0) return 0.0;
  if (hits == count) return std::pow(alpha, 1.0 / n);
  double low = 0.0, high = 1.0;  // I_p rises with p
  while (true) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) return low;
    (incomplete_beta(k, n - k + 1.0, middle) <= alpha ? low : high) = middle;
  }
}

bool clopper_pearson_shows(int64_t hits, int64_t count, double share, double confidence) {
  check_counts(hits, count, confidence);
  check_argument(share > 0 && share < 1,
                 "[clopper_pearson] expected a share above 0 and below 1, got ", share);
  const auto k = static_cast<double>(hits), n = static_cast<double>(count);
  return hits > 0 && incomplete_beta(k, n - k + 1.0, share) <= 1.0 - confidence;
}

int64_t clopper_pearson_samples(double share, double confidence) {
  check_argument(share > 0 && share < 1 && confidence > 0 && confidence < 1,
                 "[clopper_pearson] expected a share and a confidence above 0 and below 1, "
                 "got ",
                 share, " and ", confidence);
  const double alpha = 1.0 - confidence;
  const auto enough = [&](double n) { return n >= 1 && std::pow(alpha, 1.0 / n) >= share; };
  double n = std::max(1.0, std::ceil(std::log(alpha) / std::log(share)));
  constexpr double kExact = 1e9;  // beyond, neighbours give the same double
  if (n > kExact) return static_cast<int64_t>(std::min(n, 9e18));
  while (!enough(n)) ++n;
  while (enough(n - 1)) --n;
  return static_cast<int64_t>(n);
}

}  // namespace tokensieve
