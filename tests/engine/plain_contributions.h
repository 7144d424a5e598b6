#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tokensieve/core/reducer.h"
#include "tokensieve/io/bert_tensors.h"
#include "tokensieve/io/weights.h"

namespace tokensieve::test {

/// AdapLeR's contribution predictors (arXiv 2203.08991) as their formula says, in plain loops of
/// doubles: nothing is packed or shared between rows, and no bias is left out.
class PlainContributions final : public TokenPredictor {
 public:
  explicit PlainContributions(const WeightSource& weights) : w_(weights) {}

  void predict(const SiteInput& input, std::span<float> contributions) override {
    const std::string scope = contribution_name(input.site.layer);
    for (int64_t b = 0; b < input.layout.batch(); ++b) {
      const int64_t first = input.layout.offset(b), count = input.layout.count(b);
      std::vector<double> e;
      double sum = 0.0;
      for (int64_t i = 0; i < count; ++i) {
        const auto row = input.state.row(first + i);
        Row h = linear({row.begin(), row.end()}, scope + ".hidden");
        for (double& v : h) v = 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0)));
        e.push_back(std::exp(linear(h, scope + ".output")[0]));
        sum += e.back();
      }
      for (int64_t i = 0; i < count; ++i) {
        const double alpha = e[static_cast<size_t>(i)] / sum;
        contributions[static_cast<size_t>(first + i)] =
            static_cast<float>(alpha * static_cast<double>(count));
      }
    }
  }

 private:
  using Row = std::vector<double>;

  std::vector<float> read(const std::string& name) {
    int64_t count = 1;
    for (const int64_t side : w_.shape(name)) count *= side;
    std::vector<float> values(static_cast<size_t>(count));
    w_.read(name, values);
    return values;
  }

  Row linear(const Row& x, const std::string& name) {
    const auto weight = read(name + ".weight"), bias = read(name + ".bias");
    Row y(bias.begin(), bias.end());
    for (size_t o = 0; o < y.size(); ++o) {
      for (size_t i = 0; i < x.size(); ++i) y[o] += x[i] * weight[o * x.size() + i];
    }
    return y;
  }

  const WeightSource& w_;
};

}  // namespace tokensieve::test
