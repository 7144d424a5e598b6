#include "dropout.h"

#include "nn_test.h"

using tokensieve::nn::dropout;

namespace {

/// 1 where dropout kept a value of ones.
torch::Tensor kept(at::IntArrayRef shape, double rate, torch::Dtype type = torch::kFloat) {
  return (dropout(torch::ones(shape, type), rate) != 0).to(torch::kDouble);
}

}  // namespace

TEST_CASE("Dropout keeps its share of values and scales them", "[nn][dropout]") {
  const auto type = GENERATE(torch::kFloat, torch::kBFloat16, torch::kDouble);
  const double rate = GENERATE(0.0, 0.1, 0.5, 0.9);
  torch::manual_seed(3);
  const int64_t count = 1'000'000;
  const torch::Tensor x = torch::full({count}, 2.0, type);
  const torch::Tensor y = dropout(x, rate);
  CHECK(y.scalar_type() == type);
  const torch::Tensor there = y != 0;
  const double share = there.to(torch::kDouble).mean().item<double>();
  // The scale is a number of the type, and the share makes up for its rounding.
  const torch::Tensor values = y.masked_select(there).to(torch::kDouble);
  const double scale = values.max().item<double>() / 2;
  CHECK(values.min().item<double>() == values.max().item<double>());
  CHECK(scale * (1 - rate) == Approx(1).epsilon(type == torch::kBFloat16 ? 4e-3 : 1e-6));
  const double deviation = std::sqrt(std::max(1e-12, (1 - 1 / scale) / scale / count));
  CHECK(std::abs(share - 1 / scale) <= 5 * deviation);
  CHECK(std::abs(y.to(torch::kDouble).mean().item<double>() / 2 - 1) <= 5 * deviation * scale);
}

TEST_CASE("Dropped values have nothing to do with each other", "[nn][dropout]") {
  torch::manual_seed(4);
  const int64_t rows = 1000, columns = 1024;  // 62 chunks of one key each
  const torch::Tensor first = kept({rows, columns}, 0.5) - 0.5;
  const torch::Tensor second = kept({rows, columns}, 0.5) - 0.5;
  const auto correlation = [](const torch::Tensor& a, const torch::Tensor& b) {
    return (4 * a * b).mean().item<double>();
  };
  const double bound = 5 / std::sqrt(static_cast<double>(rows * columns));
  CHECK(std::abs(correlation(first, second)) < bound);
  for (const int64_t shift : {1, 2, 16, 512}) {
    const int64_t width = columns - shift;
    CHECK(std::abs(correlation(first.narrow(1, 0, width), first.narrow(1, shift, width))) <
          bound * 2);
  }
  CHECK(std::abs(correlation(first.narrow(0, 0, rows - 16), first.narrow(0, 16, rows - 16))) <
        bound * 2);
  // Sums of rows and of columns spread as independent draws do.
  for (const int64_t dim : {0, 1}) {
    const double size = static_cast<double>(first.size(dim));
    CHECK(std::abs(first.sum(dim).var().item<double>() / (size / 4) - 1) < 0.25);
  }
}

TEST_CASE("Dropout follows torch's seed and no number of threads", "[nn][dropout]") {
  const auto run = [](int threads) {
    const int before = torch::get_num_threads();
    torch::set_num_threads(threads);
    torch::manual_seed(5);
    const torch::Tensor mask = kept({7, 30011}, 0.3);
    torch::set_num_threads(before);
    return mask;
  };
  CHECK(torch::equal(run(1), run(2)));
  torch::manual_seed(6);
  CHECK_FALSE(torch::equal(run(1), kept({7, 30011}, 0.3)));
}

TEST_CASE("The gradient of dropout passes where values did", "[nn][dropout]") {
  torch::manual_seed(7);
  const torch::Tensor x = torch::randn({50, 40}).requires_grad_();
  const torch::Tensor y = dropout(x, 0.25);
  y.sum().backward();
  CHECK(torch::allclose(x.grad() * x, y));
  CHECK((x.grad() == 0).any().item<bool>());
}
