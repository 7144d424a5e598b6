#include <algorithm>

#include "bert_fixture.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/text_method.h"

using namespace tokensieve;

namespace {

nn::LtpBert random_ltp(uint64_t seed, const std::vector<double>& thresholds, int64_t n_ref) {
  nn::LtpBert network(test::tiny_bert_config(), thresholds, n_ref);
  test::randomize(*network, seed);
  torch::NoGradGuard guard;
  for (auto& item : network->named_parameters()) {  // attention that is not even
    if (item.key().ends_with("LayerNorm.weight")) item.value().add_(1.0);
    if (item.key().find("query.weight") != std::string::npos) item.value().mul_(3.0);
  }
  network->named_parameters()["site_thresholds"].copy_(torch::tensor(thresholds, torch::kFloat));
  return network;
}

/// What forward_hard() computes on masked rows, by removing them, one text at a time. `counts`
/// takes the rows left behind every block but the first.
torch::Tensor gathered(nn::LtpBertImpl& network, const torch::Tensor& tokens,
                       std::vector<std::vector<int64_t>>& counts) {
  std::vector<torch::Tensor> logits;
  for (int64_t b = 0; b < tokens.size(0); ++b) {
    const int64_t length = (tokens[b][0] >= 0).sum().item<int64_t>();
    torch::Tensor x = network.embed(tokens.slice(0, b, b + 1).slice(2, 0, length));
    counts.emplace_back();
    for (int i = 0; i < network.config().depth(); ++i) {
      const auto [rows, scores] = network.attend(i, x, {}, torch::ones({1, x.size(1)}), 1);
      x = rows;
      if (i > 0) {
        const double places =
            static_cast<double>(network.n_ref() > 0 ? network.n_ref() : x.size(1));
        const torch::Tensor score = scores[0] / places;
        const torch::Tensor limit = torch::tensor(network.thresholds()).to(torch::kFloat)[i - 1];
        std::vector<int64_t> kept = {0};
        for (int64_t j = 1; j < x.size(1); ++j) {
          if ((score[j] >= limit).item<bool>()) kept.push_back(j);
        }
        if (kept.size() == 1) kept.push_back(1 + score.slice(0, 1).argmax().item<int64_t>());
        x = x.index_select(1, torch::tensor(kept));
        counts.back().push_back(x.size(1));
      }
      x = network.mlp(i, x);
    }
    logits.push_back(network.classify(x.select(1, 0)));
  }
  return torch::cat(logits);
}

double term(const nn::Loss& loss, const std::string& wanted) {
  for (const auto& [name, value] : loss.terms) {
    if (name == wanted) return value.item<double>();
  }
  FAIL("no term " << wanted);
  return 0;
}

torch::Tensor targets() { return torch::tensor({{1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 1.0f}}); }

}  // namespace

TEST_CASE("cascade top-k's rates are the published ones", "[nn][cascade]") {
  const std::vector<double> expected = {1,      1,      1,      0.9111, 0.8222, 0.7333,
                                        0.6444, 0.5556, 0.4667, 0.3778, 0.2889, 0.2};
  const auto rates = nn::cascade_rates(12, 0.2);
  REQUIRE(rates.size() == expected.size());
  for (size_t l = 0; l < rates.size(); ++l) CHECK(rates[l] == Approx(expected[l]).epsilon(1e-3));
  CHECK(nn::cascade_rates(6, 0.4).back() == Approx(0.4));
  CHECK(nn::cascade_rates(30, 0.5)[4] == 1);  // ceil(0.15 * 30) blocks
  CHECK(nn::cascade_rates(30, 0.5)[5] < 1);
  CHECK(nn::cascade_rates(6, 0.5, 1) == std::vector<double>{1, 0.9, 0.8, 0.7, 0.6, 0.5});
  const auto steep = nn::cascade_rates(6, -0.5, 1);  // below 0 the floor is reached on the way
  CHECK(steep[3] == Approx(0.1));
  CHECK(steep[4] == 0.01);
  CHECK(steep[5] == 0.01);
}

TEST_CASE("hard decisions on masked rows equal rows that have left", "[nn][ltp]") {
  const int64_t n_ref = GENERATE(0, 16);
  // In units of the mean score at the start of the longer text.
  const double unit = n_ref == 0 ? 1.0 / 8 : 1.0 / 16;
  auto network = random_ltp(4, {0.6 * unit, 0.8 * unit, 0.9 * unit}, n_ref);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts();
  const nn::SievedText text = network->forward_hard(tokens);
  std::vector<std::vector<int64_t>> counts;
  const torch::Tensor expected = gathered(*network, tokens, counts);
  CHECK(test::difference(network->classify(text.class_rows.back()), expected) < 1e-5);
  REQUIRE(text.kept.size() == 3);
  for (size_t s = 0; s < 3; ++s) {
    for (size_t b = 0; b < 2; ++b) {
      CHECK(text.kept[s][static_cast<int64_t>(b)].sum().item<int64_t>() == counts[b][s]);
    }
    CHECK(text.kept[s].select(1, 0).min().item<float>() == 1);
    if (s > 0) CHECK((text.kept[s] <= text.kept[s - 1]).all().item<bool>());
  }
  CHECK(counts[0][2] < 8);  // something leaves
  CHECK(counts[0][2] > 2);  // and something stays
}

TEST_CASE("thresholds of 0 keep everything, of 1 the class token and the best other", "[nn][ltp]") {
  const torch::Tensor tokens = test::two_texts();
  torch::NoGradGuard guard;
  auto dense = random_ltp(5, {0, 0, 0}, 16);
  dense->eval();
  const torch::Tensor logits = dense->forward(tokens);
  CHECK(test::difference(dense->classify(dense->forward_hard(tokens).class_rows.back()), logits) ==
        0);
  auto bare = random_ltp(5, {1, 1, 1}, 16);
  bare->eval();
  const nn::SievedText text = bare->forward_hard(tokens);
  for (const torch::Tensor& kept : text.kept) CHECK((kept.sum(1) == 2).all().item<bool>());
  CHECK(torch::isfinite(bare->classify(text.class_rows.back())).all().item<bool>());
}

TEST_CASE("the same text keeps the same tokens whatever it is padded to", "[nn][ltp]") {
  auto network = random_ltp(6, {0.03, 0.045, 0.05}, 16);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts();
  const torch::Tensor wider = torch::constant_pad_nd(tokens, {0, 6}, -1);
  const nn::SievedText one = network->forward_hard(tokens), other = network->forward_hard(wider);
  for (size_t s = 0; s < one.kept.size(); ++s) {
    CHECK(test::difference(one.kept[s], other.kept[s].slice(1, 0, 8)) == 0);
    CHECK(other.kept[s].slice(1, 8).sum().item<float>() == 0);
  }
  CHECK(test::difference(one.class_rows.back(), other.class_rows.back()) < 1e-5);
}

TEST_CASE("soft masks are sigmoids of score minus threshold and scale a block's rows",
          "[nn][ltp]") {
  auto network = random_ltp(7, {0.05, 0.06, 0.07}, 16);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts();
  const nn::SievedText text = network->forward_soft(tokens, 1e-2);
  const torch::Tensor live = nn::BertImpl::present(tokens), bias = nn::BertImpl::bias_of(live);
  torch::Tensor x = network->mlp(0, network->attend(0, network->embed(tokens), bias));
  const auto [rows, scores] = network->attend(1, x, bias, live, 16);
  x = network->mlp(1, rows);
  torch::Tensor mask = torch::sigmoid((scores - 0.05) / 1e-2) * live;
  mask.select(1, 0).fill_(1.0);
  CHECK(test::difference(text.kept[0], mask) < 1e-6);
  x = x * mask.unsqueeze(-1);
  // All tokens stay keys: the next block attends to scaled rows as well.
  x = network->mlp(2, network->attend(2, x, bias));
  CHECK(test::difference(text.kept[1].select(1, 0), torch::ones({2})) == 0);
  CHECK(test::difference(text.class_rows[2], x.select(1, 0)) < 1e-5);
  // Golden values of the mask.
  const auto soft = [](double score, double temperature) {
    const auto value = [](double number) { return torch::tensor(number, torch::kDouble); };
    return nn::soft_mask(value(score), value(0.003), temperature).item<double>();
  };
  CHECK(soft(0.004, 1e-3) == Approx(0.7310586).epsilon(1e-6));
  CHECK(soft(0.004, 1e-4) == Approx(0.9999546).epsilon(1e-6));
  CHECK(soft(0.002, 1e-3) == Approx(0.2689414).epsilon(1e-6));
}

TEST_CASE("a cold soft pass is the hard decision as a scale, not as a mask", "[nn][ltp]") {
  auto network = random_ltp(4, {0.04, 0.05, 0.055}, 16);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts();
  const nn::SievedText soft = network->forward_soft(tokens, 1e-9),
                       hard = network->forward_hard(tokens);
  CHECK(test::difference(soft.kept[0], hard.kept[0]) < 1e-6);
  CHECK(hard.kept[0].sum().item<float>() < 13);
  CHECK(test::difference(soft.class_rows[2], hard.class_rows[2]) > 1e-3);
}

TEST_CASE("thresholds learn in the soft stage alone", "[nn][ltp]") {
  auto network = random_ltp(8, {0.05, 0.06, 0.07}, 16);
  network->train();
  const auto gradient = [&](double epoch, double weight) {
    nn::LtpOptions options;
    options.mask_weight = weight;
    options.temperature = 1e-2;
    const auto method = nn::ltp_method(network, nullptr, options);
    method->begin_step(epoch);
    CHECK(method->is_candidate(false) == (epoch >= 1));
    network->zero_grad();
    method->loss(test::two_texts(), targets()).total.backward();
    return network->named_parameters()["site_thresholds"].grad();
  };
  const torch::Tensor soft = gradient(0.5, 0.0).clone();
  CHECK((soft.slice(0, 0, 2) != 0).all().item<bool>());
  CHECK(soft[2].item<float>() == 0);  // the last block's other rows answer nothing
  const torch::Tensor pressed = gradient(0.5, 1.0).clone();
  CHECK(test::difference(pressed, soft) > 1e-4);
  CHECK(pressed[2].item<float>() < 0);  // down the gradient: the threshold rises
  const torch::Tensor hard = gradient(1.0, 1.0);
  CHECK((!hard.defined() || hard.abs().max().item<float>() == 0));
  CHECK(network->named_parameters()["bert.encoder.layer.0.attention.self.query.weight"]
            .grad()
            .abs()
            .max()
            .item<float>() > 0);
}

TEST_CASE("the masks' loss is their mean over places, summed over sites", "[nn][ltp]") {
  const torch::Tensor present =
      torch::tensor({{1.0, 1.0, 1.0, 0.0}, {1.0, 1.0, 1.0, 1.0}}, torch::kDouble);
  const torch::Tensor a =
      torch::tensor({{1.0, 0.5, 0.25, 0.0}, {1.0, 0.1, 0.2, 0.3}}, torch::kDouble);
  CHECK(nn::mask_loss({a, a}, present, 10).item<double>() == Approx(2 * (0.075 + 0.06) / 2));
  CHECK(nn::mask_loss({a}, present, 0).item<double>() == Approx((0.375 + 0.2) / 2));
  CHECK(test::gradient_error(
            [&](const torch::Tensor& x) {
              return nn::mask_loss({x, a}, present, 0);
            },
            a) < 1e-8);
  CHECK_THROWS_WITH(nn::mask_loss({}, present, 0), Catch::Contains("[mask_loss]"));
}

TEST_CASE("thresholds' gradient equals central differences", "[nn][ltp]") {
  auto network = random_ltp(9, {0.05, 0.06, 0.07}, 16);
  network->to(torch::kDouble);
  network->eval();
  torch::Tensor thresholds = network->named_parameters()["site_thresholds"];
  const auto loss = [&] {
    const nn::SievedText text = network->forward_soft(test::two_texts(), 2e-2);
    const torch::Tensor logits = network->classify(text.class_rows.back());
    return nn::soft_cross_entropy(logits, targets().to(torch::kDouble)) +
           nn::mask_loss(text.kept, nn::BertImpl::present(test::two_texts()), 16);
  };
  loss().backward();
  torch::NoGradGuard guard;
  for (int64_t s = 0; s < 3; ++s) {
    constexpr double step = 1e-6;
    thresholds[s] += step;
    const double up = loss().item<double>();
    thresholds[s] -= 2 * step;
    const double down = loss().item<double>();
    thresholds[s] += step;
    CHECK(thresholds.grad()[s].item<double>() == Approx((up - down) / (2 * step)).epsilon(1e-5));
  }
}

TEST_CASE("a greater weight of the masks keeps fewer tokens", "[nn][ltp]") {
  std::vector<double> kept;
  for (const double weight : {0.0, 0.05, 0.15, 0.5}) {
    auto network = random_ltp(12, {0.01, 0.01, 0.01}, 16);
    network->train();
    nn::LtpOptions options;
    options.temperature = 1e-2;
    options.mask_weight = weight;
    const auto method = nn::ltp_method(network, nullptr, options);
    torch::optim::SGD optimizer(network->parameters(), torch::optim::SGDOptions(1e-3));
    for (int step = 0; step < 60; ++step) {
      method->begin_step(0);
      optimizer.zero_grad();
      method->loss(test::two_texts(), targets()).total.backward();
      optimizer.step();
    }
    torch::NoGradGuard guard;
    double sum = 0;
    for (const auto& site : network->forward_hard(test::two_texts()).kept) {
      sum += site.sum().item<double>();
    }
    kept.push_back(sum);
  }
  INFO("kept " << kept[0] << ' ' << kept[1] << ' ' << kept[2] << ' ' << kept[3]);
  CHECK(std::is_sorted(kept.rbegin(), kept.rend()));
  CHECK(kept.back() < kept.front() / 2);
}

TEST_CASE("cascade top-k keeps its share of every text", "[nn][cascade]") {
  nn::Bert network = test::random_bert(3, test::tiny_bert_config(6));
  nn::CascadeOptions options;
  options.keep = 0.4;
  const auto method = nn::cascade_method(network, nullptr, options);
  const nn::Loss loss = method->loss(test::two_texts(), targets());
  CHECK(term(loss, "kept.1") == 1);  // the first three blocks keep all
  // 0.8, 0.6 and 0.4 of 7 and of 4 tokens, rounded up.
  CHECK(term(loss, "kept.2") == Approx((6.0 / 7 + 4.0 / 4) / 2));
  CHECK(term(loss, "kept.3") == Approx((5.0 / 7 + 3.0 / 4) / 2));
  CHECK(term(loss, "kept.4") == Approx((3.0 / 7 + 2.0 / 4) / 2));
  CHECK(Recipe::parse(method->recipe()).compile(6).sites().size() == 3);
}

TEST_CASE("a steep cascade's last sites keep what the floor left", "[nn][cascade]") {
  const auto method = nn::cascade_method(test::random_bert(3, test::tiny_bert_config(6)), nullptr,
                                         {.keep = -0.5, .first = 1, .teacher_logits = 0});
  CHECK(method->recipe() ==
        "score=received_attention | select=top_k(0.7/0.571428/0.25/0.099999/1, of=input, "
        "round=ceil) | drop=gone | at=after_attention:1..5");
}

TEST_CASE("LTP and cascade refuse options that make no sense", "[nn][ltp][errors]") {
  const BertConfig config = test::tiny_bert_config();
  CHECK_THROWS_WITH(nn::LtpBert(config, std::vector<double>{0.1}, 128),
                    Catch::Contains("a threshold for each of the 3 after"));
  CHECK_THROWS_WITH(nn::LtpBert(config, std::vector<double>{0.1, 0.1, 1e300}, 128),
                    Catch::Contains("finite float32 thresholds"));
  CHECK_THROWS_WITH(nn::LtpBert(config, std::vector<double>{0.1, 0.1, 0.1}, -1),
                    Catch::Contains("n_ref of 0 or more"));
  BertConfig headless = config;
  headless.num_heads[2] = 0;
  CHECK_THROWS_WITH(nn::LtpBert(headless, std::vector<double>{0.1, 0.1, 0.1}, 128),
                    Catch::Contains("an attention in block 2"));
  auto network = random_ltp(1, {0.1, 0.1, 0.1}, 16);
  const auto refused = [&](auto change, const char* message) {
    nn::LtpOptions options;
    change(options);
    CHECK_THROWS_WITH(nn::ltp_method(network, nullptr, options), Catch::Contains(message));
  };
  refused([](auto& o) { o.temperature = 0; }, "a temperature above 0");
  refused([](auto& o) { o.soft_epochs = -1; }, "soft_epochs and masks of 0 or more");
  refused([](auto& o) { o.mask_weight = -1; }, "soft_epochs and masks of 0 or more");
  refused([](auto& o) { o.teacher_logits = -1; }, "[teacher] expected a weight of 0 or more");
  for (const double keep : {1.1, -11.0, std::nan("")}) {
    CHECK_THROWS_WITH(nn::cascade_method(test::random_bert(1), nullptr, {keep}),
                      Catch::Contains("[cascade] expected keep in [-10, 1]"));
  }
  CHECK_THROWS_WITH(
      nn::cascade_method(test::random_bert(1, test::tiny_bert_config(3)), nullptr, {0.5}),
      Catch::Contains("more blocks than those that keep all"));
  CHECK_THROWS_WITH(nn::cascade_method(test::random_bert(1), nullptr, {0.5, -1}),
                    Catch::Contains("expected first to be a block, got -1"));
  BertConfig other = config;
  other.num_classes = 5;
  CHECK_THROWS_WITH(nn::dense_method(test::random_bert(1), test::random_bert(1, other)),
                    Catch::Contains("[teacher] expected 3 classes"));
}
