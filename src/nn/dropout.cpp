#include "dropout.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "wide_clones.h"

namespace tokensieve::nn {
namespace {

constexpr int64_t kChunk = 1 << 13;  // values that share a key

/// A key of its own for each chunk (Steele et al., SplitMix64).
uint32_t key_of(uint64_t seed, int64_t chunk) {
  uint64_t z = seed + (static_cast<uint64_t>(chunk) + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
}

/// MurmurHash3's finalizer: each bit of `h` decides half of all bits of the result.
TOKENSIEVE_INLINE uint32_t mixed(uint32_t h) {
  h = (h ^ (h >> 16)) * 0x85ebca6bU;
  h = (h ^ (h >> 13)) * 0xc2b2ae35U;
  return h ^ (h >> 16);
}

/// Up to kChunk places: `kept`, or 0 where the draw is below `bar`. A hash has 32 bits: one draw,
/// or two of 16 bits. Values alone go in, so that both loops are made for vectors.
template <typename Bits>
TOKENSIEVE_INLINE void fill_chunk_of(Bits* out, size_t size, uint32_t key, Bits bar, Bits kept) {
  std::array<uint32_t, kChunk * sizeof(Bits) / sizeof(uint32_t)> hashes;
  std::array<Bits, kChunk> draws;
  for (uint32_t i = 0; i < hashes.size(); ++i) hashes[i] = mixed(key + i);
  std::memcpy(draws.data(), hashes.data(), sizeof(draws));
  for (size_t i = 0; i < size; ++i) out[i] = draws[i] >= bar ? kept : Bits{0};
}

TOKENSIEVE_WIDE_CLONES void fill_chunk(uint32_t* out, size_t size, uint32_t key, uint32_t bar,
                                       uint32_t kept) {
  fill_chunk_of(out, size, key, bar, kept);
}
TOKENSIEVE_WIDE_CLONES void fill_chunk(uint16_t* out, size_t size, uint32_t key, uint16_t bar,
                                       uint16_t kept) {
  fill_chunk_of(out, size, key, bar, kept);
}

/// The bar that a share `rate` of draws is below.
template <typename Bits>
Bits bar_of(double rate) {
  return static_cast<Bits>(std::ldexp(rate, std::numeric_limits<Bits>::digits));
}

TOKENSIEVE_WIDE_CLONES void fill_row(float* mask, int64_t n, uint32_t key, uint32_t bar,
                                     float kept) {
  for (int64_t j = 0; j < n; ++j) {
    mask[j] = mixed(key + static_cast<uint32_t>(j)) >= bar ? kept : 0.0f;
  }
}

/// Fills `mask` with `kept`, the bits of a number, but with 0 at a share `rate` of all places.
template <typename Bits>
void fill(Bits* mask, int64_t count, uint64_t seed, double rate, Bits kept) {
  const Bits bar = bar_of<Bits>(rate);
  at::parallel_for(0, (count + kChunk - 1) / kChunk, 1, [&](int64_t first, int64_t last) {
    for (int64_t chunk = first; chunk < last; ++chunk) {
      const auto size = static_cast<size_t>(std::min(kChunk, count - chunk * kChunk));
      fill_chunk(mask + chunk * kChunk, size, key_of(seed, chunk), bar, kept);
    }
  });
}

}  // namespace

uint64_t dropout_seed() {
  return static_cast<uint64_t>(
      torch::randint(std::numeric_limits<int64_t>::max(), {1}, torch::kLong).item<int64_t>());
}

void dropout_row(float* mask, int64_t n, uint64_t seed, int64_t row, double rate) {
  fill_row(mask, n, key_of(seed, row), bar_of<uint32_t>(rate), static_cast<float>(1 / (1 - rate)));
}

void dropout_row(double* mask, int64_t n, uint64_t seed, int64_t row, double rate) {
  const uint32_t key = key_of(seed, row), bar = bar_of<uint32_t>(rate);
  for (int64_t j = 0; j < n; ++j) {
    mask[j] = mixed(key + static_cast<uint32_t>(j)) >= bar ? 1 / (1 - rate) : 0.0;
  }
}

torch::Tensor dropout(const torch::Tensor& x, double rate) {
  if (!x.device().is_cpu()) return torch::dropout(x, rate, true);
  const uint64_t seed = dropout_seed();
  const bool half = x.scalar_type() == torch::kBFloat16;
  const float exact = static_cast<float>(1 / (1 - rate));
  const float scale = half ? static_cast<float>(c10::BFloat16(exact)) : exact;
  const double drawn = 1 - 1.0 / scale;  // so that the mean stays what it is
  torch::Tensor mask = torch::empty(x.sizes(), half ? torch::kBFloat16 : torch::kFloat);
  if (half) {
    fill(static_cast<uint16_t*>(mask.data_ptr()), mask.numel(), seed, drawn,
         c10::BFloat16(scale).x);
  } else {
    fill(static_cast<uint32_t*>(mask.data_ptr()), mask.numel(), seed, drawn,
         std::bit_cast<uint32_t>(scale));
  }
  return x * mask.to(x.scalar_type());
}

}  // namespace tokensieve::nn
