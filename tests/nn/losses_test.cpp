#include "tokensieve/nn/losses.h"
#include "nn_test.h"

using namespace tokensieve;

TEST_CASE("losses have the values of their formulas", "[nn][losses]") {
  const auto options = torch::kDouble;
  const torch::Tensor logits = torch::tensor({{1.0, 2.0, 0.5}, {0.0, -1.0, 3.0}}, options);
  const torch::Tensor targets = torch::tensor({{0.9, 0.05, 0.05}, {0.0, 0.5, 0.5}}, options);
  const torch::Tensor p = torch::softmax(logits, -1), q = torch::softmax(targets, -1);
  CHECK(nn::soft_cross_entropy(logits, targets).item<double>() ==
        Approx(-(targets * p.log()).sum().item<double>() / 2));
  CHECK(nn::distillation_loss(logits, targets).item<double>() ==
        Approx((q * (q.log() - p.log())).sum().item<double>() / 2));
  CHECK(nn::distillation_loss(logits, logits).item<double>() == Approx(0.0).margin(1e-15));

  // Two samples of two tokens, two channels; three tokens are kept.
  const torch::Tensor student =
      torch::tensor({{{1.0, 2.0}, {3.0, 4.0}}, {{5.0, 6.0}, {7.0, 8.0}}}, options);
  const torch::Tensor kept = torch::tensor({{1.0, 0.0}, {1.0, 1.0}}, options);
  CHECK(nn::token_loss(student, torch::zeros_like(student), kept).item<double>() ==
        Approx((1.0 + 4 + 25 + 36 + 49 + 64) / 6));
  CHECK(
      nn::token_loss(student, torch::zeros_like(student), torch::zeros_like(kept)).item<double>() ==
      0.0);

  // The divergence of every kept token's answer, by hand.
  const torch::Tensor answers = torch::log_softmax(student, -1).exp();
  const torch::Tensor theirs = torch::softmax(student.flip({-1}), -1);
  const torch::Tensor divergence = (theirs * (theirs / answers).log()).sum(-1);
  CHECK(nn::token_distillation_loss(student, student.flip({-1}), kept).item<double>() ==
        Approx((divergence * kept).sum().item<double>() / 3));
  CHECK(nn::token_distillation_loss(student, student.flip({-1}), torch::zeros_like(kept))
            .item<double>() == 0.0);

  CHECK(nn::ratio_loss({kept, torch::zeros_like(kept)}, {0.7, 0.49}).item<double>() ==
        Approx((0.04 + 0.09) / 2 / 2 + 0.49 * 0.49 / 2));
}

TEST_CASE("losses have the gradients of finite differences", "[nn][losses]") {
  torch::manual_seed(3);
  const torch::Tensor logits = torch::randn({3, 4}, torch::kDouble);
  const torch::Tensor targets = torch::softmax(torch::randn({3, 4}, torch::kDouble), -1);
  const torch::Tensor teacher = torch::randn({3, 4}, torch::kDouble);
  CHECK(test::gradient_error([&](const auto& x) { return nn::soft_cross_entropy(x, targets); },
                             logits) < 1e-8);
  CHECK(test::gradient_error([&](const auto& x) { return nn::distillation_loss(x, teacher); },
                             logits) < 1e-8);

  const torch::Tensor tokens = torch::randn({2, 5, 3}, torch::kDouble);
  const torch::Tensor theirs = torch::randn({2, 5, 3}, torch::kDouble);
  const torch::Tensor kept = (torch::rand({2, 5}) > 0.5).to(torch::kDouble);
  CHECK(test::gradient_error([&](const auto& x) { return nn::token_loss(x, theirs, kept); },
                             tokens) < 1e-8);
  CHECK(test::gradient_error(
            [&](const auto& x) { return nn::token_distillation_loss(x, theirs, kept); }, tokens) <
        1e-8);
  CHECK(test::gradient_error(
            [&](const auto& d) {
              return nn::ratio_loss({d, d * d}, {0.7, 0.5});
            },
            torch::rand({2, 5}, torch::kDouble)) < 1e-8);
}

TEST_CASE("the token loss is blind to dropped tokens and leaves the mask alone", "[nn][losses]") {
  const torch::Tensor student = torch::randn({2, 5, 3}), teacher = torch::randn({2, 5, 3});
  torch::Tensor kept = torch::ones({2, 5});
  kept[0][3] = 0;
  torch::Tensor other = student.clone();
  other[0][3] += 100;
  CHECK(nn::token_loss(student, teacher, kept).item<float>() ==
        nn::token_loss(other, teacher, kept).item<float>());
  torch::Tensor mask = kept.clone().requires_grad_();
  const torch::Tensor with_gradient = student.clone().requires_grad_();
  nn::token_loss(with_gradient, teacher, mask).backward();
  CHECK_FALSE(mask.grad().defined());
}

TEST_CASE("the ratio loss wants a rate for every decision", "[nn][losses][errors]") {
  CHECK_THROWS_WITH(nn::ratio_loss({torch::ones({2, 5})}, {0.7, 0.5}),
                    Catch::Contains("[ratio_loss]"));
  CHECK_THROWS_AS(nn::ratio_loss({}, {}), std::invalid_argument);
}
