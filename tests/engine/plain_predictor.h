#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tokensieve/core/reducer.h"
#include "tokensieve/io/weights.h"

namespace tokensieve::test {

/// DynamicViT's predictors (arXiv 2106.02034) as the paper and the official code write them, in
/// plain loops of doubles: nothing is cut, folded or shared between rows.
class PlainPredictor final : public TokenPredictor {
 public:
  explicit PlainPredictor(const WeightSource& weights) : w_(weights) {}

  void predict(const SiteInput& input, std::span<float> log_keep) override {
    scope_ = "score_predictor." + std::to_string(input.site_index);
    for (int64_t b = 0; b < input.layout.batch(); ++b) {
      const int64_t first = input.layout.offset(b) + input.num_prefix_tokens;
      const int64_t count = input.layout.offset(b + 1) - first;
      std::vector<Row> u;
      for (int64_t i = 0; i < count; ++i) {
        const auto row = input.state.row(first + i);
        u.push_back(gelu(linear(norm({row.begin(), row.end()}), ".in_conv.1")));
      }
      Row mean(static_cast<size_t>(input.state.cols));
      for (const Row& row : u) {
        for (size_t c = 0; c < row.size(); ++c) mean[c] += row[c] / static_cast<double>(count);
      }
      for (int64_t i = 0; i < count; ++i) {
        Row z = u[static_cast<size_t>(i)];
        for (size_t c = z.size() / 2; c < z.size(); ++c) z[c] = mean[c];
        const Row h = gelu(linear(gelu(linear(z, ".out_conv.0")), ".out_conv.2"));
        const Row o = linear(h, ".out_conv.4");
        const double highest = std::max(o[0], o[1]);
        const double sum = std::exp(o[0] - highest) + std::exp(o[1] - highest);
        log_keep[static_cast<size_t>(first + i)] =
            static_cast<float>(o[0] - highest - std::log(sum));
      }
    }
  }

 private:
  using Row = std::vector<double>;

  std::vector<float> read(const std::string& name) {
    int64_t count = 1;
    for (const int64_t side : w_.shape(scope_ + name)) count *= side;
    std::vector<float> values(static_cast<size_t>(count));
    w_.read(scope_ + name, values);
    return values;
  }

  Row norm(Row x) {
    const auto weight = read(".in_conv.0.weight"), bias = read(".in_conv.0.bias");
    double mean = 0.0, variance = 0.0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
    for (size_t c = 0; c < x.size(); ++c) {
      x[c] = (x[c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c];
    }
    return x;
  }

  Row linear(const Row& x, const std::string& name) {
    const auto weight = read(name + ".weight"), bias = read(name + ".bias");
    Row y(bias.begin(), bias.end());
    for (size_t o = 0; o < y.size(); ++o) {
      for (size_t i = 0; i < x.size(); ++i) y[o] += x[i] * weight[o * x.size() + i];
    }
    return y;
  }

  static Row gelu(Row x) {
    for (double& v : x) v = 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0)));
    return x;
  }

  const WeightSource& w_;
  std::string scope_;
};

}  // namespace tokensieve::test
