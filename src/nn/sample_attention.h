#pragma once

#include <torch/torch.h>

namespace tokensieve::nn {

/// What sample_attention() computes.
struct SampleAttention {
  torch::Tensor outputs;   ///< `[B, n, H * d]`: probabilities times values.
  torch::Tensor received;  ///< `[B, n]`, float32 at least; undefined without `queries`.
};

/// Attention of `qkv` `[B, n, 3, H, d]`: softmax of scaled logits plus `bias` `[B, n]` of each key
/// (undefined: none), with dropout at `rate` in [0, 1). `received` is what each key gets from the
/// rows of `queries` `[B, n]` (1 or 0; undefined: not asked for), summed over those and meant over
/// heads, after dropout. Gradients (first ones) reach `qkv` and `bias`, through both results. Goes
/// sample by sample on a CPU, so that probabilities stay in its cache and are made anew for the
/// backward pass. Throws std::invalid_argument for other shapes.
SampleAttention sample_attention(const torch::Tensor& qkv, const torch::Tensor& bias,
                                 const torch::Tensor& queries, double rate);

/// The same by torch's own operations: what other devices run, and what tests compare with.
SampleAttention sample_attention_by_ops(const torch::Tensor& qkv, const torch::Tensor& bias,
                                        const torch::Tensor& queries, double rate);

}  // namespace tokensieve::nn
