#include <algorithm>
#include <numeric>

#include "bert_fixture.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/io/bert_tensors.h"
#include "tokensieve/nn/text_method.h"

using namespace tokensieve;

namespace {

nn::AdaplerBert random_adapler(uint64_t seed, double eta = 0.8) {
  nn::AdaplerBert network(test::tiny_bert_config());
  test::randomize(*network, seed);
  torch::NoGradGuard guard;
  network->eta().fill_(eta);
  network->theta().fill_(1.0);
  return network;
}

torch::Tensor targets() { return torch::tensor({{1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 1.0f}}); }

}  // namespace

TEST_CASE("soft removal has the published values", "[nn][adapler]") {
  const auto phi = [](double alpha, double sharpness) {
    const auto options = torch::TensorOptions(torch::kDouble);
    return nn::soft_removal(torch::full({1, 1}, alpha, options), torch::full({1, 1}, 0.02, options),
                            sharpness)
        .item<double>();
  };
  CHECK(phi(0, 10) == Approx(-10.01));
  CHECK(phi(0.01, 10) == Approx(-5.01));
  CHECK(phi(0.019, 10) == Approx(-0.51));
  CHECK(phi(0.02, 10) == Approx(-0.01));
  CHECK(phi(0.1, 10) == Approx(-0.009183673).epsilon(1e-6));
  CHECK(phi(1, 10) == Approx(0).margin(1e-12));
  CHECK(phi(0.01, 1000) == Approx(-500.0001));
  CHECK(phi(0, 1e20) == -10000);
  double last = -1e9;
  for (int i = 0; i <= 100; ++i) {
    CHECK(phi(i / 100.0, 10) >= last);
    last = phi(i / 100.0, 10);
  }
  CHECK_THROWS_WITH(nn::soft_removal(torch::ones({1, 1}), torch::ones({1, 1}), 0),
                    Catch::Contains("[soft_removal]"));
}

TEST_CASE("contributions are shares of what is alive", "[nn][adapler]") {
  auto network = random_adapler(1);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts(), there = nn::BertImpl::present(tokens);
  for (const auto& output : {network->forward_soft(tokens, 10), network->forward_hard(tokens)}) {
    REQUIRE(output.contributions.size() == 4);
    for (const torch::Tensor& alpha : output.contributions) {
      CHECK(test::difference(alpha.sum(1), torch::ones({2})) < 1e-5);
      CHECK((alpha * (1 - there)).abs().max().item<float>() == 0);
    }
    for (const torch::Tensor& kept : output.kept) {
      CHECK(test::difference(kept.select(1, 0), torch::ones({2})) == 0);
      CHECK((kept * (1 - there)).abs().max().item<float>() == 0);
    }
  }
}

TEST_CASE("the hardest soft mask decides as rows that leave", "[nn][adapler]") {
  auto network = random_adapler(GENERATE(1, 2, 3), 0.95);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts();
  const auto soft = network->forward_soft(tokens, 1e20), hard = network->forward_hard(tokens);
  for (size_t l = 0; l < 4; ++l) {
    CHECK(test::difference(soft.kept[l], hard.kept[l]) < 1e-5);
    CHECK(test::difference(soft.lengths[l], hard.lengths[l]) < 1e-4);
    CHECK(test::difference(hard.live[l],
                           l == 0 ? nn::BertImpl::present(tokens) : hard.kept[l - 1]) == 0);
  }
  CHECK(hard.lengths.back().sum().item<float>() < 13);
  CHECK(test::difference(soft.class_rows, hard.class_rows) < 1e-5);
}

TEST_CASE("a bar of 0.01 keeps everything that matters", "[nn][adapler]") {
  auto network = random_adapler(4, 0.01);
  network->eval();
  {
    torch::NoGradGuard guard;
    for (const auto& item : network->named_parameters()) {
      if (item.key().starts_with("contribution_predictor.")) item.value().zero_();  // even shares
    }
  }
  const torch::Tensor tokens = test::two_texts();
  CHECK(test::difference(network->classify(network->forward_hard(tokens).class_rows),
                         network->forward(tokens)) == 0);
}

TEST_CASE("saliency is the gradient times the row, for the text's own class", "[nn][adapler]") {
  nn::Bert network = test::random_bert(5);
  network->to(torch::kDouble);
  network->eval();
  const torch::Tensor tokens = test::two_texts();
  const torch::Tensor values = nn::saliency(*network, tokens, targets());
  CHECK((values[1].slice(0, 5) == 0).all().item<bool>());
  CHECK((values[0] > 0).all().item<bool>());
  for (const auto& parameter : network->parameters()) CHECK_FALSE(parameter.grad().defined());
  // The length of gradient times row, over the features of token 2 of the first text, by
  // differences.
  const auto logit = [&](int64_t feature, double factor) {
    torch::NoGradGuard guard;
    torch::Tensor x = network->embed(tokens).clone();
    x[0][2][feature] *= factor;
    const torch::Tensor bias = nn::BertImpl::bias_of(nn::BertImpl::present(tokens));
    for (int l = 0; l < 4; ++l) x = network->mlp(l, network->attend(l, x, bias));
    return network->classify(x.select(1, 0))[0][0].item<double>();
  };
  double squares = 0;
  for (int64_t feature = 0; feature < network->config().embed_dim; ++feature) {
    const double along = (logit(feature, 1 + 1e-6) - logit(feature, 1 - 1e-6)) / 2e-6;
    squares += along * along;
  }
  CHECK(values[0][2].item<double>() == Approx(std::sqrt(squares)).epsilon(1e-5));
}

TEST_CASE("the contributions' loss is 0 where predictors say what saliencies do", "[nn][adapler]") {
  nn::AdaplerOutput output;
  const torch::Tensor salient = torch::tensor({{1.0, 2.0, 1.0, 0.0}}, torch::kDouble);
  const torch::Tensor live = torch::tensor({{1.0, 1.0, 1.0, 0.0}}, torch::kDouble);
  const torch::Tensor theta = torch::tensor({0.5}, torch::kDouble);
  output.live = {live, live};
  output.contributions = {torch::tensor({{0.25, 0.5, 0.25, 0.0}}, torch::kDouble),
                          torch::tensor({{1.0, 4.0, 2.0, 0.0}}, torch::kDouble) / 7};
  CHECK(nn::contribution_loss(output, salient, theta).item<double>() == Approx(0).margin(1e-12));
  // Two blocks: the first weighs twice, and a text as its liveliest token.
  output.contributions[0] = torch::tensor({{0.5, 0.25, 0.25, 0.0}}, torch::kDouble);
  const double kl = 0.25 * std::log(0.25 / 0.5) + 0.5 * std::log(0.5 / 0.25);
  CHECK(nn::contribution_loss(output, salient, theta).item<double>() == Approx(2 * kl));
  output.live[0] = torch::tensor({{1.0, 0.5, 0.5, 0.0}}, torch::kDouble);
  const double half =
      0.4 * std::log(0.4 / 0.5) + 0.4 * std::log(0.4 / 0.25) + 0.2 * std::log(0.2 / 0.25);
  CHECK(nn::contribution_loss(output, salient, theta).item<double>() == Approx(2 * half * 0.5));
  output.live[0] = live;
  CHECK(test::gradient_error(
            [&](const torch::Tensor& alpha) {
              nn::AdaplerOutput other = output;
              other.contributions[0] = alpha;
              return nn::contribution_loss(other, salient, theta);
            },
            output.contributions[0]) < 1e-6);
  CHECK_THROWS_WITH(nn::contribution_loss(output, salient, torch::ones({3})),
                    Catch::Contains("[contribution_loss]"));
}

TEST_CASE("bars learn by lengths, weights and predictors by contributions", "[nn][adapler]") {
  auto network = random_adapler(6, 0.6);
  network->train();
  nn::Bert teacher = test::random_bert(7);
  const auto gradients = [&](double saliencies, double lengths) {
    nn::AdaplerOptions options;
    options.saliency_weight = saliencies;
    options.length_weight = lengths;
    const auto method = nn::adapler_method(network, teacher, options);
    method->begin_step(1.0);
    network->zero_grad();
    method->loss(test::two_texts(), targets()).total.backward();
    std::map<std::string, torch::Tensor> found;
    for (const auto& item : network->named_parameters()) {
      if (item.value().grad().defined()) found[item.key()] = item.value().grad().clone();
    }
    return found;
  };
  const auto plain = gradients(0, 0), taught = gradients(1, 0), shortened = gradients(0, 1);
  const auto changed = [&](const auto& other, const std::string& name) {
    return test::difference(other.at(name), plain.at(name)) > 1e-6;
  };
  CHECK_FALSE(changed(taught, "site_thresholds"));
  CHECK_FALSE(changed(taught, "class_shares"));
  CHECK(changed(shortened, "site_thresholds"));
  CHECK(changed(shortened, "class_shares"));
  for (int l = 0; l < 4; ++l) {
    const std::string name = "contribution_predictor." + std::to_string(l) + ".hidden.weight";
    CHECK(changed(taught, name));
    CHECK_FALSE(changed(shortened, name));
  }
  CHECK_FALSE(changed(shortened, "bert.encoder.layer.0.output.dense.weight"));
  // Down the gradient the bars rise: shorter texts.
  CHECK((shortened.at("site_thresholds") - plain.at("site_thresholds")).sum().item<float>() < 0);
  for (const auto& parameter : teacher->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("a greater weight of lengths raises the bars and shortens the texts", "[nn][adapler]") {
  std::vector<double> bars, lengths;
  for (const double weight : {0.0, 0.4, 2.0}) {
    auto network = random_adapler(9, 0.1);
    network->train();
    nn::AdaplerOptions options;
    options.length_weight = weight;
    const auto method = nn::adapler_method(network, test::random_bert(10), options);
    torch::optim::SGD bars_optimizer({network->eta()}, torch::optim::SGDOptions(20));
    for (int step = 0; step < 60; ++step) {
      method->begin_step(0);
      network->zero_grad();
      method->loss(test::two_texts(), targets()).total.backward();
      bars_optimizer.step();
      network->clamp_bars();
    }
    torch::NoGradGuard guard;
    const std::vector<double> etas = network->etas();
    bars.push_back(std::accumulate(etas.begin(), etas.end(), 0.0));
    lengths.push_back(nn::length_loss(network->forward_hard(test::two_texts())).item<double>());
  }
  INFO("bars " << bars[0] << ' ' << bars[1] << ' ' << bars[2] << "; lengths " << lengths[0] << ' '
               << lengths[1] << ' ' << lengths[2]);
  CHECK(std::is_sorted(bars.begin(), bars.end()));
  CHECK(std::is_sorted(lengths.rbegin(), lengths.rend()));
  CHECK(bars.back() > 2 * bars.front());
  CHECK(lengths.back() < 0.8 * lengths.front());
}

TEST_CASE("bars stay in their range", "[nn][adapler]") {
  auto network = random_adapler(8);
  {
    torch::NoGradGuard guard;
    network->eta().copy_(torch::tensor({-1.0f, 0.5f, 2.0f, 0.001f}));
  }
  const std::vector<double> expected = {0.01, 0.5, 1.0, 0.01};
  for (size_t l = 0; l < 4; ++l) CHECK(network->etas()[l] == Approx(expected[l]));
  network->clamp_bars();
  CHECK(test::difference(network->eta(), torch::tensor(expected)) < 1e-7);
}

TEST_CASE("AdapLeR's weights are the authors' for 12 blocks and 64 tokens, and go with both",
          "[nn][adapler]") {
  const auto authors = nn::AdaplerOptions::scaled(12, 64), half = nn::AdaplerOptions::scaled(6, 64);
  CHECK(authors.saliency_weight == Approx(0.005));
  CHECK(authors.length_weight == Approx(5e-4));
  // The KL divergences weigh 12 + ... + 1 = 78 there and 6 + ... + 1 = 21 here.
  CHECK(half.saliency_weight == Approx(0.005 * 78 / 21));
  CHECK(half.length_weight == Approx(1e-3));
  CHECK(nn::AdaplerOptions::scaled(6, 512).length_weight == Approx(1e-3 / 8));
  CHECK_THROWS_WITH(nn::AdaplerOptions::scaled(0, 64),
                    Catch::Contains("[adapler] expected blocks"));
}

TEST_CASE("AdapLeR's recipe names its bars, and its predictors are what the engine reads",
          "[nn][adapler]") {
  auto network = random_adapler(3, 0.5);
  nn::AdaplerOptions options;
  options.choose_after = 2;
  const auto method = nn::adapler_method(network, test::random_bert(2), options);
  CHECK(method->recipe() == "adapler(threshold=0.5/0.5/0.5/0.5, sites=0..3)");
  CHECK(Recipe::parse(method->recipe()).compile(4).sites().size() == 4);
  BertConfig config = test::tiny_bert_config();
  config.contributions = true;
  CHECK_NOTHROW(check_sieve(config, *method->sieve(), "here"));
  method->begin_step(1.9);
  CHECK_FALSE(method->is_candidate(false));
  method->begin_step(2);
  CHECK(method->is_candidate(false));
}

TEST_CASE("AdapLeR refuses what makes no sense", "[nn][adapler][errors]") {
  auto network = random_adapler(1);
  nn::Bert teacher = test::random_bert(2);
  CHECK_THROWS_WITH(nn::adapler_method(network, nullptr), Catch::Contains("expected a teacher"));
  nn::AdaplerOptions options;
  options.sharpness = 0;
  CHECK_THROWS_WITH(nn::adapler_method(network, teacher, options), Catch::Contains("sharpness"));
  options = {};
  options.length_weight = -1;
  CHECK_THROWS_WITH(nn::adapler_method(network, teacher, options), Catch::Contains("lengths"));
  options = {};
  options.choose_after = -1;
  CHECK_THROWS_WITH(nn::adapler_method(network, teacher, options), Catch::Contains("choose_after"));
  BertConfig other = test::tiny_bert_config();
  other.num_classes = 4;
  CHECK_THROWS_WITH(nn::adapler_method(network, test::random_bert(2, other)),
                    Catch::Contains("[teacher] expected 3 classes"));
}
