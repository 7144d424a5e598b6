#include "kernels/layer_norm.h"

#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tokensieve {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void normalize_row(const float* x, float* y, const float* weight, const float* bias, int64_t cols,
                   float eps) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t whole = cols / lanes * lanes;
  auto sum = hn::Zero(d);
  float tail = 0.0f;
  for (int64_t c = 0; c < whole; c += lanes) sum = hn::Add(sum, hn::LoadU(d, x + c));
  for (int64_t c = whole; c < cols; ++c) tail += x[c];
  const float mean = (hn::GetLane(hn::SumOfLanes(d, sum)) + tail) / static_cast<float>(cols);
  const auto center = hn::Set(d, mean);
  auto squares = hn::Zero(d);
  tail = 0.0f;
  for (int64_t c = 0; c < whole; c += lanes) {
    const auto distance = hn::Sub(hn::LoadU(d, x + c), center);
    squares = hn::MulAdd(distance, distance, squares);
  }
  for (int64_t c = whole; c < cols; ++c) tail += (x[c] - mean) * (x[c] - mean);
  const float variance =
      (hn::GetLane(hn::SumOfLanes(d, squares)) + tail) / static_cast<float>(cols);
  const float factor = 1.0f / std::sqrt(variance + eps);
  const auto factors = hn::Set(d, factor);
  for (int64_t c = 0; c < whole; c += lanes) {
    const auto normal = hn::Mul(hn::Sub(hn::LoadU(d, x + c), center), factors);
    hn::StoreU(hn::MulAdd(normal, hn::LoadU(d, weight + c), hn::LoadU(d, bias + c)), d, y + c);
  }
  for (int64_t c = whole; c < cols; ++c) y[c] = (x[c] - mean) * factor * weight[c] + bias[c];
}

}  // namespace HWY_NAMESPACE
}  // namespace tokensieve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tokensieve {

HWY_EXPORT(normalize_row);

void layer_norm(RowsView<const float> x, RowsView<float> y, std::span<const float> weight,
                std::span<const float> bias, float eps) {
#pragma omp parallel for schedule(static) if (x.rows > 16)
  for (int64_t i = 0; i < x.rows; ++i) {
    HWY_DYNAMIC_DISPATCH(normalize_row)
    (x.data + i * x.stride, y.data + i * y.stride, weight.data(), bias.data(), x.cols, eps);
  }
}

void layer_norm_plain(RowsView<const float> x, RowsView<float> y, std::span<const float> weight,
                      std::span<const float> bias, float eps) {
  for (int64_t i = 0; i < x.rows; ++i) {
    double mean = 0.0, variance = 0.0;
    for (const float value : x.row(i)) mean += value;
    mean /= static_cast<double>(x.cols);
    for (const float value : x.row(i)) variance += (value - mean) * (value - mean);
    const double factor = 1.0 / std::sqrt(variance / static_cast<double>(x.cols) + double{eps});
    for (int64_t c = 0; c < x.cols; ++c) {
      y.row(i)[c] = static_cast<float>((x.row(i)[c] - mean) * factor * weight[c] + bias[c]);
    }
  }
}

}  // namespace tokensieve
#endif
