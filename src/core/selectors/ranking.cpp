#include "selectors/ranking.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace tokensieve {
namespace {

uint64_t rank_key(float score, size_t position) {
  uint32_t rank = UINT32_MAX;
  if (!std::isnan(score)) {
    // The bits of floats of one sign sort like integers.
    const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 becomes 0
    const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    rank = ~ascending;
  }
  return uint64_t{rank} << 32 | static_cast<uint32_t>(position);
}

}  // namespace

std::vector<uint64_t> rank_keys(std::span<const float> scores) {
  std::vector<uint64_t> keys(scores.size());
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = rank_key(scores[i], i);
  return keys;
}

std::vector<int32_t> positions_up_to(uint64_t cutoff, std::span<const uint64_t> keys) {
  std::vector<int32_t> positions(keys.size());
  size_t count = 0;
  for (size_t i = 0; i < keys.size(); ++i) {  // without a branch: scores are in no order
    positions[count] = static_cast<int32_t>(i);
    count += keys[i] <= cutoff ? 1 : 0;
  }
  positions.resize(count);
  return positions;
}

int32_t best_position(std::span<const float> scores) {
  const std::vector<uint64_t> keys = rank_keys(scores);
  return static_cast<int32_t>(std::min_element(keys.begin(), keys.end()) - keys.begin());
}

std::vector<int32_t> all_positions(size_t count) {
  std::vector<int32_t> positions(count);
  std::iota(positions.begin(), positions.end(), 0);
  return positions;
}

}  // namespace tokensieve
