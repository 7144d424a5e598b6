#pragma once

#include <cstdint>

namespace tokensieve {

/// Sum of a[i] * b[i]. In several sums, so that the compiler can use vectors; always the same ones.
inline float dot(const float* a, const float* b, int64_t count) {
  constexpr int kSums = 16;
  float sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int k = 0; k < kSums; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  float total = 0.0f;
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace tokensieve
