#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace tokensieve::nn {

/// Dropout in training: a value is 0 with probability `rate`, else scaled by 1 / (1 - rate); `rate`
/// in [0, 1). In bfloat16 the scale is rounded, and the rate is the one that belongs to that. Draws
/// one number from torch's generator, and hashes it with each place: torch's own draws value by
/// value on one thread, a quarter of a training step on texts.
torch::Tensor dropout(const torch::Tensor& x, double rate);

/// One number from torch's generator, that dropout_row() makes a tensor's mask of.
uint64_t dropout_seed();
/// What dropout at `rate` multiplies the `n` values of row `row` of a tensor by.
void dropout_row(float* mask, int64_t n, uint64_t seed, int64_t row, double rate);
void dropout_row(double* mask, int64_t n, uint64_t seed, int64_t row, double rate);

}  // namespace tokensieve::nn
