#include "tokensieve/data/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

std::uint32_t low_word(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high_word(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high_word(b) ^ counter[1] ^ key[0], low_word(b), high_word(a) ^ counter[3] ^ key[1],
               low_word(a)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

std::uint64_t derived_seed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  // Another key than Random's, so that a derived seed is never a number that was drawn.
  const std::uint64_t key = seed ^ 0x5DEECE66D1CE4E5BU;
  const auto words = philox4x32({low_word(a), high_word(a), low_word(b), high_word(b)},
                                {low_word(key), high_word(key)});
  return words[0] | std::uint64_t{words[1]} << 32;
}

std::uint32_t Random::bits() {
  if (drawn_ % 4 == 0) {
    const std::uint64_t block = drawn_ / 4;
    block_ = philox4x32({low_word(block), high_word(block), low_word(stream_), high_word(stream_)},
                        {low_word(seed_), high_word(seed_)});
  }
  return block_[drawn_++ % 4];
}

double Random::uniform() {
  const std::uint64_t high = bits();
  return static_cast<double>((high << 32 | bits()) >> 11) * 0x1p-53;
}

std::uint32_t Random::below(std::uint32_t count) {
  check_argument(count > 0, "[Random] expected a count of 1 or more, got 0");
  // Lemire's method: the high word of a product, redrawn where it would be biased.
  const std::uint32_t biased = (0U - count) % count;
  std::uint64_t product = 0;
  do {
    product = std::uint64_t{bits()} * count;
  } while (low_word(product) < biased);
  return high_word(product);
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double Random::log_gamma(double shape) {
  // Logarithms, because a small shape gives numbers below the smallest double.
  if (shape < 1.0) return log_gamma(shape + 1.0) + std::log(1.0 - uniform()) / shape;
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d) + std::log(v);
    }
  }
}

double Random::beta(double a, double b) {
  check_argument(std::isfinite(a) && a > 0 && std::isfinite(b) && b > 0,
                 "[Random] expected positive parameters of a beta distribution, got ", a, " and ",
                 b);
  const double x = log_gamma(a);
  const double y = log_gamma(b);
  return 1.0 / (1.0 + std::exp(y - x));
}

std::vector<std::uint32_t> Random::permutation(std::uint32_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
  return order;
}

}  // namespace tokensieve
