#include "tokensieve/nn/masked_softmax.h"
#include "nn_test.h"

using namespace tokensieve;
using nn::masked_softmax;

namespace {

torch::Tensor plain(const torch::Tensor& logits, const torch::Tensor& policy, double eps) {
  const int64_t n = logits.size(3);
  const torch::Tensor eye = torch::eye(n, logits.options());
  const torch::Tensor keep = policy.unsqueeze(1).unsqueeze(1);
  const torch::Tensor e =
      (logits - std::get<0>(logits.max(-1, true))).exp() * (keep + (1 - keep) * eye);
  return (e + eps / static_cast<double>(n)) / (e.sum(-1, true) + eps);
}

}  // namespace

TEST_CASE("the worked row of the formula comes out to the last printed digit",
          "[nn][masked_softmax]") {
  const torch::Tensor logits = torch::tensor({1.0, 2.0, 3.0}, torch::kDouble).expand({1, 1, 3, 3});
  const torch::Tensor policy = torch::tensor({{1.0, 1.0, 0.0}}, torch::kDouble);
  const torch::Tensor a = masked_softmax(logits, policy, 1e-6)[0][0];
  const double first[] = {0.268941549, 0.731057788, 6.62406e-7};
  const double dropped[] = {0.09003074, 0.24472853, 0.66524073};
  for (int j = 0; j < 3; ++j) {
    CHECK(a[0][j].item<double>() == Approx(first[j]).epsilon(1e-6));
    CHECK(a[2][j].item<double>() == Approx(dropped[j]).epsilon(1e-6));
  }
}

TEST_CASE("the fused pass equals the formula in every type", "[nn][masked_softmax]") {
  torch::manual_seed(1);
  const torch::Tensor logits = torch::randn({3, 2, 37, 37}, torch::kDouble) * 3;
  const torch::Tensor policy = (torch::rand({3, 37}, torch::kDouble) > 0.4).to(torch::kDouble);
  for (const double eps : {0.0, 1e-6}) {
    const torch::Tensor expected = plain(logits, policy, eps);
    CHECK(test::difference(masked_softmax(logits, policy, eps), expected) < 1e-14);
    CHECK(test::difference(masked_softmax(logits.to(torch::kFloat), policy, eps), expected) < 2e-6);
    CHECK(test::difference(masked_softmax(logits.to(torch::kBFloat16), policy, eps), expected) <
          3e-2);
  }
}

TEST_CASE("gradients reach logits and policy as finite differences say", "[nn][masked_softmax]") {
  torch::manual_seed(2);
  const torch::Tensor logits = torch::randn({2, 2, 5, 5}, torch::kDouble);
  const torch::Tensor policy = torch::rand({2, 5}, torch::kDouble);
  const torch::Tensor weight = torch::randn({2, 2, 5, 5}, torch::kDouble);
  for (const double eps : {0.0, 1e-6}) {
    CHECK(
        test::gradient_error(
            [&](const torch::Tensor& x) { return (masked_softmax(x, policy, eps) * weight).sum(); },
            logits) < 2e-6);
    CHECK(test::gradient_error(
              [&](const torch::Tensor& pi) {
                return (masked_softmax(logits, pi, eps) * weight).sum();
              },
              policy) < 2e-8);
  }
}

TEST_CASE("with everything kept it is softmax", "[nn][masked_softmax]") {
  const torch::Tensor logits = torch::randn({2, 3, 9, 9}, torch::kDouble);
  const torch::Tensor ones = torch::ones({2, 9}, torch::kDouble);
  CHECK(test::difference(masked_softmax(logits, ones, 0), torch::softmax(logits, -1)) < 1e-12);
  CHECK(test::difference(masked_softmax(logits, ones, 1e-6), torch::softmax(logits, -1)) < 1e-5);
}

TEST_CASE("without eps a dropped key far above the others changes nothing",
          "[nn][masked_softmax]") {
  torch::Tensor logits = torch::tensor({0.0f, 1.0f, 2.0f}).expand({1, 1, 3, 3}).clone();
  const torch::Tensor policy = torch::tensor({{1.0f, 1.0f, 0.0f}});
  const torch::Tensor before = masked_softmax(logits, policy, 0);
  logits.select(3, 2).slice(2, 0, 2).fill_(200.0f);
  CHECK(test::difference(masked_softmax(logits, policy, 0).slice(2, 0, 2), before.slice(2, 0, 2)) <
        1e-6);
  torch::Tensor learned = policy.clone().requires_grad_();
  masked_softmax(logits, learned, 0).square().sum().backward();
  CHECK(torch::isfinite(learned.grad()).all().item<bool>());
}

TEST_CASE("logits and policy of other shapes are refused", "[nn][masked_softmax][errors]") {
  const torch::Tensor logits = torch::randn({2, 3, 9, 9});
  CHECK_THROWS_WITH(masked_softmax(logits, torch::ones({2, 8}), 0),
                    Catch::Contains("[masked_softmax]"));
  CHECK_THROWS_AS(masked_softmax(logits, torch::ones({9}), 0), std::invalid_argument);
  CHECK_THROWS_AS(masked_softmax(torch::randn({2, 3, 9, 8}), torch::ones({2, 9}), 0),
                  std::invalid_argument);
}
