#include "tokensieve/nn/dynamic_vit.h"
#include "nn_test.h"

using namespace tokensieve;

namespace {

struct Network {
  explicit Network(std::vector<int> sites = {1, 2, 3},
                   const VitConfig& config = test::tiny_config())
      : net(config, std::move(sites)) {
    test::randomize(*net);
    net->to(torch::kDouble);
    net->eval();
    torch::manual_seed(7);
    pixels = torch::randn({2, 3, 16, 16}, torch::kDouble);
  }
  nn::DynamicVit net;
  torch::Tensor pixels;
};

/// Ascending indices of the ones in each row; the same number in each.
torch::Tensor indices_of(const torch::Tensor& mask) {
  return mask.nonzero().select(1, 1).view({mask.size(0), -1});
}

/// Nested random masks of 16 tokens, `counts` kept.
std::vector<torch::Tensor> nested_masks(int64_t batch, const std::vector<int64_t>& counts) {
  std::vector<torch::Tensor> masks;
  const torch::Tensor order = torch::rand({batch, 16}).argsort(1, false);
  for (const int64_t count : counts) {
    masks.push_back(
        torch::zeros({batch, 16}, torch::kDouble).scatter_(1, order.slice(1, 0, count), 1.0));
  }
  return masks;
}

}  // namespace

TEST_CASE("with nothing dropped the masked pass is the dense network", "[nn][dynamicvit]") {
  Network n;
  torch::NoGradGuard guard;
  const torch::Tensor dense = n.net->forward(n.pixels);
  const std::vector<torch::Tensor> ones(3, torch::ones({2, 16}, torch::kDouble));
  CHECK(test::difference(n.net->forward_masked(n.pixels, {{}, ones}, 0).logits, dense) < 1e-12);
  CHECK(test::difference(n.net->forward_masked(n.pixels, {{}, ones}, 1e-6).logits, dense) < 1e-5);
  CHECK(test::difference(n.net->forward_gathered(n.pixels, std::vector<double>{1, 1, 1}), dense) <
        1e-12);
}

TEST_CASE("masked and gathered agree on the same decisions", "[nn][dynamicvit]") {
  VitConfig config = test::tiny_config();
  const auto variant = GENERATE(range(0, 4));
  if (variant == 1)
    config.pooling = Pooling::mean, config.final_norm = false, config.fc_norm = true;
  if (variant == 2) config.aux_head = true, config.skip_lam = 2;
  if (variant == 3) config.distilled = true, config.num_register_tokens = 2;
  Network n({1, 2, 3}, config);
  torch::NoGradGuard guard;
  const auto masks = nested_masks(2, {11, 7, 5});
  std::vector<torch::Tensor> kept;
  for (const auto& mask : masks) kept.push_back(indices_of(mask));
  const torch::Tensor masked = n.net->forward_masked(n.pixels, {{}, masks}, 0).logits;
  CHECK(test::difference(masked, n.net->forward_gathered(n.pixels, kept)) < 1e-11);
}

TEST_CASE("a dropped token's content does not reach the logits", "[nn][dynamicvit]") {
  Network n({1});
  torch::NoGradGuard guard;
  const auto masks = nested_masks(2, {9});
  const torch::Tensor before = n.net->forward_masked(n.pixels, {{}, masks}, 0).logits;
  // The rows after block 0, with noise for those that are dropped before block 1.
  torch::Tensor rows = n.net->block(0, n.net->embed(n.pixels));
  const torch::Tensor policy = torch::cat({torch::ones({2, 1}, torch::kDouble), masks[0]}, 1);
  rows = torch::where(policy.unsqueeze(-1) > 0, rows, torch::randn_like(rows) * 10);
  for (int i = 1; i < 4; ++i) rows = n.net->block(i, rows, policy, 0);
  CHECK(test::difference(n.net->classify(n.net->finish(rows)), before) < 1e-11);
}

TEST_CASE("the predictor sees other kept tokens and no dropped one",
          "[nn][dynamicvit][predictor]") {
  nn::Predictor predictor(16);
  test::randomize(*predictor);
  predictor->to(torch::kDouble);
  torch::NoGradGuard guard;
  const torch::Tensor tokens = torch::randn({1, 6, 16}, torch::kDouble);
  torch::Tensor policy = torch::ones({1, 6}, torch::kDouble);
  policy[0][5] = 0;
  const torch::Tensor before = predictor->forward(tokens, policy)[0][0];
  torch::Tensor other = tokens.clone();
  other[0][5] += 3.0;
  CHECK(test::difference(predictor->forward(other, policy)[0][0], before) == 0);
  other = tokens.clone();
  other[0][4] += torch::randn({16}, torch::kDouble);
  CHECK(test::difference(predictor->forward(other, policy)[0][0], before) > 1e-6);
  CHECK(torch::isfinite(predictor->forward(tokens, torch::zeros_like(policy))).all().item<bool>());
}

TEST_CASE("a predictor of DeiT-S has 241,250 parameters", "[nn][dynamicvit][predictor]") {
  for (const auto& [dim, expected] : {std::pair{384, 241250}, {192, 60722}, {768, 961730}}) {
    int64_t count = 0;
    for (const auto& parameter : nn::Predictor(dim)->parameters()) count += parameter.numel();
    CHECK(count == expected);
  }
}

TEST_CASE("every predictor learns, also without a ratio loss", "[nn][dynamicvit]") {
  Network n;
  n.net->train();
  for (const bool exact : {false, true}) {
    n.net->zero_grad();
    torch::manual_seed(11);
    nn::DynamicDecisions decisions;
    if (exact) decisions.keep = nn::keep_rates(0.7, 3);
    const auto output = n.net->forward_masked(n.pixels, decisions);
    output.logits.square().sum().backward();
    for (const auto& item : n.net->named_parameters()) {
      if (!item.key().ends_with("in_conv.1.weight")) continue;
      INFO(item.key());
      CHECK(item.value().grad().abs().max().item<double>() > 0);
    }
  }
}

TEST_CASE("decisions are zeros and ones, and what was dropped stays dropped", "[nn][dynamicvit]") {
  Network n;
  torch::NoGradGuard guard;
  for (const bool exact : {false, true}) {
    nn::DynamicDecisions decisions;
    if (exact) decisions.keep = nn::keep_rates(0.7, 3);
    const auto output = n.net->forward_masked(n.pixels, decisions);
    REQUIRE(output.decisions.size() == 3);
    CHECK(output.probabilities.size() == (exact ? 3 : 0));
    for (const torch::Tensor& mean : output.probabilities) {
      CHECK(mean.sizes() == torch::IntArrayRef({n.pixels.size(0), 1}));
      CHECK((mean > 0).all().item<bool>());
      CHECK((mean < 1).all().item<bool>());
    }
    for (size_t s = 0; s < 3; ++s) {
      const torch::Tensor rounded = output.decisions[s].round();
      CHECK(test::difference(rounded, output.decisions[s]) < 1e-12);
      CHECK((rounded * (1 - rounded)).abs().sum().item<double>() == 0);
      if (s > 0) CHECK((rounded > output.decisions[s - 1].round()).sum().item<int64_t>() == 0);
      if (exact) CHECK(rounded[0].sum().item<double>() == std::floor(16 * decisions.keep[s]));
    }
  }
}

TEST_CASE("top-k by Gumbel noise keeps k of the tokens still in the race", "[nn][dynamicvit]") {
  torch::manual_seed(5);
  const torch::Tensor log_probabilities = torch::log_softmax(torch::randn({4, 10, 2}), -1);
  torch::Tensor policy = torch::ones({4, 10});
  policy.slice(1, 6).zero_();
  const torch::Tensor kept = nn::gumbel_top_k(log_probabilities, policy, 4).round();
  for (int b = 0; b < 4; ++b) CHECK(kept[b].sum().item<float>() == 4);
  CHECK((kept * (1 - policy)).sum().item<float>() == 0);
  CHECK(nn::gumbel_top_k(log_probabilities, policy, 10).round().sum().item<float>() == 4 * 6);
  CHECK_THROWS_WITH(nn::gumbel_top_k(log_probabilities, policy, 0),
                    Catch::Contains("[gumbel_top_k]"));
  CHECK_THROWS_AS(nn::gumbel_top_k(log_probabilities, policy, 11), std::invalid_argument);
}

TEST_CASE("scores of a top-k decision learn their order alone", "[nn][dynamicvit]") {
  torch::manual_seed(7);
  const torch::Tensor log_probabilities =
      torch::log_softmax(torch::randn({4, 10, 2}, torch::kDouble) * 30, -1).requires_grad_();
  torch::Tensor policy = torch::ones({4, 10}, torch::kDouble);
  policy.slice(1, 6).zero_();
  const torch::Tensor worth = torch::rand({4, 10}, torch::kDouble) + 1;  // every token helps
  (nn::gumbel_top_k(log_probabilities, policy, 4) * worth).sum().backward();
  const torch::Tensor pull = log_probabilities.grad().select(-1, 0).slice(1, 0, 6);
  CHECK(log_probabilities.grad().slice(1, 6).abs().sum().item<double>() == 0);
  CHECK(pull.abs().min().item<double>() > 1e-9);
  CHECK(pull.sum(1).abs().max().item<double>() < 1e-12);  // not their level
  const torch::Tensor score = log_probabilities.detach().select(-1, 0).slice(1, 0, 6) -
                              log_probabilities.detach().select(-1, 1).slice(1, 0, 6);
  CHECK((pull * score).sum(1).abs().max().item<double>() <
        1e-3 * (pull * score).abs().sum(1).min().item<double>());  // nor their scale
}

TEST_CASE("the share a Gumbel decision keeps is the probability it was given", "[nn][dynamicvit]") {
  torch::manual_seed(6);
  const torch::Tensor log_probabilities =
      torch::log(torch::tensor({0.3f, 0.7f})).expand({1, 40000, 2});
  CHECK(nn::gumbel_keep(log_probabilities).mean().item<float>() == Approx(0.3).margin(0.01));
}

TEST_CASE("keep rates are powers in double", "[nn][dynamicvit]") {
  CHECK(static_cast<int>(625 * nn::keep_rates(0.6, 3)[2]) == 134);  // 0.6 * 0.6 * 0.6 gives 135
  CHECK(static_cast<int>(196 * nn::keep_rates(0.7, 3)[2]) == 67);
}

TEST_CASE("sites that cannot be are refused", "[nn][dynamicvit][errors]") {
  const VitConfig config = test::tiny_config();
  for (const auto& sites : std::vector<std::vector<int>>{{}, {0}, {4}, {2, 1}, {1, 1}}) {
    CHECK_THROWS_WITH(nn::DynamicVit(config, sites), Catch::Contains("[dynamic_vit]"));
  }
  VitConfig mean = config;
  mean.class_token = false;
  mean.pooling = Pooling::mean;
  CHECK_THROWS_AS(nn::DynamicVit(mean, std::vector<int>{1}), std::invalid_argument);
  Network n;
  CHECK_THROWS_AS(n.net->forward_gathered(n.pixels, std::vector<double>{0.5}),
                  std::invalid_argument);
  CHECK_THROWS_AS(n.net->forward_gathered(n.pixels, std::vector<torch::Tensor>{}),
                  std::invalid_argument);
  CHECK_THROWS_AS(n.net->forward_masked(n.pixels, {{0.5}, {}}), std::invalid_argument);
  CHECK_THROWS_AS(n.net->forward_masked(n.pixels, {{}, {torch::ones({2, 16})}}),
                  std::invalid_argument);
  CHECK_THROWS_AS(nn::Vit(config, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(n.net->forward(torch::randn({2, 3, 8, 8}, torch::kDouble)),
                  std::invalid_argument);
}
