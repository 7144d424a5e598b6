#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace tokensieve::nn {

/// The type that rows of `Value`s are computed in.
template <typename Value>
using WideOf = std::conditional_t<std::is_same_v<Value, double>, double, float>;

/// Rows of `n` values that a thread works in, and those of the sample that it works on.
template <typename Wide>
struct Rows {
  explicit Rows(int64_t n, const torch::Tensor& key_bias)
      : bias(static_cast<size_t>(n)), row(bias), mask(bias), other(bias), sums(bias) {
    if (key_bias.defined()) std::copy_n(key_bias.const_data_ptr<Wide>(), n, bias.data());
    std::fill(mask.begin(), mask.end(), Wide{1});
  }

  std::vector<Wide> bias;  ///< What is added to each key's logit.
  std::vector<Wide> row;   ///< Scratch memory, as `other` is.
  std::vector<Wide> mask;  ///< What dropout multiplies the row by.
  std::vector<Wide> other;
  std::vector<Wide> sums;  ///< Over the rows so far.
};

/// A row of `n` logits to probabilities after dropout, in place; `rows.sums` gains `weight` times
/// them.
void forward_row(c10::BFloat16* x, Rows<float>& rows, float weight, int64_t n);
void forward_row(float* x, Rows<float>& rows, float weight, int64_t n);
void forward_row(double* x, Rows<double>& rows, double weight, int64_t n);

/// A row of `n` logits to probabilities after dropout, and the row `g` of the gradient of those to
/// that of the logits, both in place. `received` is the gradient of the sums that forward_row()
/// gives; `rows.sums` gains that of the bias.
void backward_row(c10::BFloat16* x, c10::BFloat16* g, Rows<float>& rows, const float* received,
                  float weight, int64_t n);
void backward_row(float* x, float* g, Rows<float>& rows, const float* received, float weight,
                  int64_t n);
void backward_row(double* x, double* g, Rows<double>& rows, const double* received, double weight,
                  int64_t n);

}  // namespace tokensieve::nn
