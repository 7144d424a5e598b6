#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tokensieve {

/// Four words from a counter and a key: Philox4x32-10 (Salmon et al., "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011), which passes BigCrush.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// A seed made of a seed and two numbers, such as the run's seed, the epoch and the picture's
/// index. Different arguments give unrelated seeds.
std::uint64_t derived_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0);

/// Random numbers that are a function of the seed, the stream and how many were drawn, and of
/// nothing else: no thread, machine or library changes them. (`normal`, `beta` and the uniform
/// numbers' logarithms go through the C library's math, which may differ in a last bit from one
/// machine to another.)
class Random {
 public:
  /// Streams of one seed are unrelated to each other.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// 32 random bits.
  std::uint32_t bits();

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();

  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// True with this probability.
  bool chance(double probability) { return uniform() < probability; }

  /// Uniform among the integers 0 to count - 1, without bias. Throws invalid_argument if count is
  /// 0.
  std::uint32_t below(std::uint32_t count);

  /// Normal with mean 0 and variance 1 (Box and Muller).
  double normal();

  /// Beta(a, b) from two gamma variates (Marsaglia and Tsang, "A simple method for generating gamma
  /// variables", 2000), exact for every a and b. Throws invalid_argument unless both are finite and
  /// positive.
  double beta(double a, double b);

  /// The numbers 0 to count - 1 in random order, every order equally likely.
  std::vector<std::uint32_t> permutation(std::uint32_t count);

 private:
  double log_gamma(double shape);

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t drawn_ = 0;  // words
  std::array<std::uint32_t, 4> block_{};
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace tokensieve
