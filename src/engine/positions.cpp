#include "positions.h"

#include <algorithm>
#include <cmath>

namespace tokensieve {
namespace {

// Which inputs an output reads, and how much of each.
struct Taps {
  int64_t first = 0;
  std::vector<float> weights;
};

float cubic(float x) {
  constexpr float kA = -0.5f;
  x = std::fabs(x);
  if (x < 1.0f) return ((kA + 2.0f) * x - (kA + 3.0f)) * x * x + 1.0f;
  if (x < 2.0f) return (((x - 5.0f) * x + 8.0f) * x - 4.0f) * kA;
  return 0.0f;
}

std::vector<Taps> cubic_taps(int64_t from, int64_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const float support = scale >= 1.0f ? 2.0f * scale : 2.0f;
  const float inverse = scale >= 1.0f ? 1.0f / scale : 1.0f;
  std::vector<Taps> taps(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const float center = scale * (static_cast<float>(i) + 0.5f);
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5f));
    const auto last = std::min(from, static_cast<int64_t>(center + support + 0.5f));
    Taps& tap = taps[static_cast<size_t>(i)];
    tap.first = first;
    float sum = 0.0f;
    for (int64_t j = first; j < last; ++j) {
      tap.weights.push_back(cubic((static_cast<float>(j) - center + 0.5f) * inverse));
      sum += tap.weights.back();
    }
    for (float& weight : tap.weights) weight /= sum;
  }
  return taps;
}

// Resamples the middle axis of [outer, from, inner] to [outer, taps, inner].
std::vector<float> resample_axis(std::span<const float> in, int64_t outer, int64_t from,
                                 int64_t inner, const std::vector<Taps>& taps) {
  const auto to = static_cast<int64_t>(taps.size());
  std::vector<float> out(static_cast<size_t>(outer * to * inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < to; ++i) {
      float* row = out.data() + (o * to + i) * inner;
      const Taps& tap = taps[static_cast<size_t>(i)];
      for (size_t t = 0; t < tap.weights.size(); ++t) {
        const float* source = in.data() + (o * from + tap.first + static_cast<int64_t>(t)) * inner;
        for (int64_t c = 0; c < inner; ++c) row[c] += tap.weights[t] * source[c];
      }
    }
  }
  return out;
}

}  // namespace

std::vector<float> resample_positions(std::span<const float> grid, int64_t height, int64_t width,
                                      int64_t new_height, int64_t new_width, int64_t dim) {
  if (height == new_height && width == new_width) return {grid.begin(), grid.end()};
  const auto wide = resample_axis(grid, height, width, dim, cubic_taps(width, new_width));
  return resample_axis(wide, 1, height, new_width * dim, cubic_taps(height, new_height));
}

}  // namespace tokensieve
