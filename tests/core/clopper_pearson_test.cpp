#include "tokensieve/core/clopper_pearson.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "refuses.h"

using namespace tokensieve;

TEST_CASE("The incomplete beta function has the values of a 40-digit computation",
          "[core][clopper_pearson]") {
  // mpmath.betainc(a, b, 0, x, regularized=True)
  CHECK(incomplete_beta(0.5, 0.5, 0.25) == Approx(0.33333333333333333).epsilon(1e-13));
  CHECK(incomplete_beta(1, 1, 0.3) == Approx(0.3).epsilon(1e-13));
  CHECK(incomplete_beta(2, 3, 0.4) == Approx(0.5248).epsilon(1e-13));
  CHECK(incomplete_beta(10, 2, 0.9) == Approx(0.6973568802).epsilon(1e-13));
  CHECK(incomplete_beta(470, 6, 0.98) == Approx(0.086349667504866255).epsilon(1e-11));
  CHECK(incomplete_beta(3900, 26, 0.99) == Approx(0.0099448484095840763).epsilon(1e-10));
  CHECK(incomplete_beta(6, 470, 0.02) == Approx(0.91365033249513375).epsilon(1e-11));
  CHECK(incomplete_beta(3, 4, 0) == 0.0);
  CHECK(incomplete_beta(3, 4, 1) == 1.0);
}

TEST_CASE("The incomplete beta function is the tail of a binomial", "[core][clopper_pearson]") {
  const int n = GENERATE(1, 2, 7, 40);
  const double p = GENERATE(0.01, 0.3, 0.5, 0.97);
  double tail = 0.0;
  for (int k = n; k >= 1; --k) {
    double choose = 1.0;
    for (int i = 1; i <= k; ++i) choose *= static_cast<double>(n - k + i) / i;
    tail += choose * std::pow(p, k) * std::pow(1 - p, n - k);
    CAPTURE(n, k, p);
    CHECK(incomplete_beta(k, n - k + 1, p) == Approx(tail).epsilon(1e-11));
  }
}

TEST_CASE("The Clopper-Pearson bound has the values of a 40-digit computation",
          "[core][clopper_pearson]") {
  // scipy.stats.beta.ppf(1 - confidence, hits, count - hits + 1), here by bisection in mpmath
  const auto [hits, count, confidence, bound] = GENERATE(table<int64_t, int64_t, double, double>({
      {1, 1, 0.95, 0.05},
      {1, 10, 0.95, 0.0051161968918237011},
      {5, 10, 0.95, 0.22244110100812908},
      {9, 10, 0.95, 0.60583669756349522},
      {10, 10, 0.95, 0.74113444910694772},
      {98, 100, 0.95, 0.93838079960395929},
      {298, 298, 0.95, 0.9899975675623223},
      {299, 299, 0.95, 0.99003085320710073},
      {470, 475, 0.95, 0.9779955364098049},
      {3900, 3925, 0.95, 0.9911154278061699},
      {3800, 3925, 0.99, 0.96101615055106165},
      {30, 1000, 0.9, 0.023297148963747125},
  }));
  CAPTURE(hits, count, confidence);
  CHECK(clopper_pearson_lower(hits, count, confidence) == Approx(bound).epsilon(1e-10));
}

TEST_CASE("The Clopper-Pearson bound holds its level", "[core][clopper_pearson]") {
  // The chance of a count whose bound is above the true share, summed over all counts.
  const int n = GENERATE(10, 60);
  for (const double share : {0.2, 0.7, 0.95, 0.99}) {
    double above = 0.0;
    for (int k = 0; k <= n; ++k) {
      const double chance =
          std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                   k * std::log(share) + (n - k) * std::log1p(-share));
      if (clopper_pearson_lower(k, n) > share) above += chance;
    }
    CAPTURE(n, share);
    CHECK(above <= 0.05 + 1e-12);
  }
}

TEST_CASE("The Clopper-Pearson bound of a million samples is found, and below their share",
          "[core][clopper_pearson]") {
  CHECK(clopper_pearson_lower(0, 5) == 0.0);
  CHECK(clopper_pearson_lower(990'000, 1'000'000) == Approx(0.99 - 1.645 * 9.95e-5).epsilon(1e-5));
  CHECK(clopper_pearson_lower(999'999'999, 1'000'000'000) < 1.0);
}

TEST_CASE("A share is shown where the bound is above it", "[core][clopper_pearson]") {
  const int64_t count = GENERATE(1, 10, 299, 3925);
  for (int64_t hits = 0; hits <= count; hits += std::max<int64_t>(1, count / 50)) {
    const double bound = clopper_pearson_lower(hits, count);
    CAPTURE(hits, count);
    if (hits > 0) CHECK(clopper_pearson_shows(hits, count, bound - 1e-9));
    CHECK_FALSE(clopper_pearson_shows(hits, count, bound + 1e-9));
  }
  CHECK(clopper_pearson_shows(299, 299, 0.99));
  CHECK_FALSE(clopper_pearson_shows(298, 298, 0.99));
}

TEST_CASE("The fewest samples for a share are those that all have to agree",
          "[core][clopper_pearson]") {
  CHECK(clopper_pearson_samples(0.99) == 299);
  CHECK(clopper_pearson_samples(0.95) == 59);
  CHECK(clopper_pearson_samples(0.999) == 2995);
  CHECK(clopper_pearson_samples(0.01) == 1);
  for (const double share : {0.3, 0.9, 0.99, 0.9999}) {
    const int64_t n = clopper_pearson_samples(share);
    CHECK(clopper_pearson_lower(n, n) >= share);
    if (n > 1) CHECK(clopper_pearson_lower(n - 1, n - 1) < share);
  }
  CHECK(clopper_pearson_samples(std::nextafter(1.0, 0.0)) > 1'000'000'000'000);
}

TEST_CASE("Bounds of counts that make no sense are refused", "[core][clopper_pearson]") {
  CHECK_REFUSES(incomplete_beta(0, 1, 0.5), "expected a, b > 0");
  CHECK_REFUSES(incomplete_beta(1, 1, 1.5), "x in [0, 1]");
  CHECK_REFUSES(incomplete_beta(1, 1, std::nan("")), "x in [0, 1]");
  CHECK_REFUSES(clopper_pearson_lower(1, 0), "of a count above 0, got 1 of 0");
  CHECK_REFUSES(clopper_pearson_lower(3, 2), "got 3 of 2");
  CHECK_REFUSES(clopper_pearson_lower(-1, 2), "got -1 of 2");
  CHECK_REFUSES(clopper_pearson_lower(1, 2, 1.0), "expected a confidence above 0 and below 1");
  CHECK_REFUSES(clopper_pearson_shows(1, 0, 0.5), "got 1 of 0");
  CHECK_REFUSES(clopper_pearson_shows(1, 2, 1.0), "expected a share above 0 and below 1, got 1");
  CHECK_REFUSES(clopper_pearson_samples(1.0), "above 0 and below 1, got 1");
  CHECK_REFUSES(clopper_pearson_samples(0.5, 0.0), "above 0 and below 1");
}
