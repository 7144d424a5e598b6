#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tokensieve {

/// For each candidate a number that orders them the way every selector ranks them, the smallest the
/// best: high scores before low ones, NaN last, equal scores (-0 and 0 are equal) by position. No
/// two candidates have the same key.
std::vector<uint64_t> rank_keys(std::span<const float> scores);

/// The candidate a key belongs to.
inline size_t ranked_position(uint64_t key) { return key & UINT32_MAX; }

/// Ascending positions of the keys that are at most `cutoff`. `keys` are in candidate order.
std::vector<int32_t> positions_up_to(uint64_t cutoff, std::span<const uint64_t> keys);

/// Position of the best candidate; `scores` is not empty.
int32_t best_position(std::span<const float> scores);

/// 0, 1, ..., count - 1.
std::vector<int32_t> all_positions(size_t count);

}  // namespace tokensieve
