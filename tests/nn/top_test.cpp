#include <algorithm>

#include "bert_fixture.h"
#include "tokensieve/nn/text_method.h"

using namespace tokensieve;

namespace {

nn::TopBert random_top(uint64_t seed, int first = 1, int64_t bins = 5) {
  nn::TopBert network(test::tiny_bert_config(), first, bins);
  test::randomize(*network, seed);
  torch::NoGradGuard guard;
  network->named_parameters()["rank_bins"].fill_(10.0);
  network->named_parameters()["site_gates"].fill_(-10.0);
  network->named_parameters()["multipliers"].zero_();
  return network;
}

void set(nn::TopBert& network, const std::string& name, const torch::Tensor& value) {
  torch::NoGradGuard guard;
  network->named_parameters()[name].copy_(value);
}

torch::Tensor targets() { return torch::tensor({{1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 1.0f}}); }

double scalar(const torch::Tensor& x) { return x.item<double>(); }

}  // namespace

TEST_CASE("hard-concrete gates have the published values", "[nn][top]") {
  const auto at = [](double a) { return torch::full({1}, a, torch::kDouble); };
  const torch::Tensor half = at(0.5);
  CHECK(scalar(nn::hard_concrete(at(0), half)) == Approx(0.5));
  CHECK(scalar(nn::hard_concrete(at(2), half)) == 1);
  CHECK(scalar(nn::hard_concrete(at(-4.605170), half)) == 0);
  CHECK(scalar(nn::open_probability(at(0))) == Approx(0.831822).epsilon(1e-6));
  CHECK(scalar(nn::open_probability(at(2))) == Approx(0.973367).epsilon(1e-6));
  CHECK(scalar(nn::open_probability(at(4.605170))) == Approx(0.997982).epsilon(1e-6));
  CHECK(scalar(nn::open_probability(at(-4.605170))) == Approx(0.047130).epsilon(1e-4));
  CHECK(test::gradient_error(
            [](const torch::Tensor& a) {
              return (nn::hard_concrete(a, torch::full({3}, 0.4, torch::kDouble)) +
                      nn::open_probability(a))
                  .square()
                  .sum();
            },
            torch::tensor({0.1, -0.5, 0.7})) < 1e-6);
}

TEST_CASE("as many gates close as are expected to", "[nn][top]") {
  // P is 0.998, 0.998, 0.047, 0.83, 0.047: two are expected to be closed.
  const torch::Tensor a = torch::tensor({4.6, 4.6, -4.6, 0.0, -4.5});
  CHECK(test::difference(nn::decided_gates(a), torch::tensor({1, 1, 0, 1, 0})) == 0);
  CHECK(nn::decided_gates(torch::full({5}, 4.6)).sum().item<float>() == 5);
  CHECK(nn::decided_gates(torch::full({5}, -4.6)).sum().item<float>() == 0);
}

TEST_CASE("rank bins hold ranks over the tokens that are alive", "[nn][top]") {
  constexpr int64_t bins = 4;
  for (const int64_t m : {1, 5, 4, 9}) {
    torch::manual_seed(m);
    const torch::Tensor scores = torch::rand({1, m + 3});
    torch::Tensor alive = torch::ones({1, m + 3});
    alive[0][2] = alive[0][m + 2] = 0;
    const torch::Tensor bin = nn::rank_bins(scores, alive, bins)[0];
    CHECK(bin[0].item<int64_t>() == bins);
    CHECK(bin[2].item<int64_t>() == bins);
    for (int64_t i = 1; i < m + 2; ++i) {
      if (i == 2) continue;
      int64_t rank = 0;
      for (int64_t j = 1; j < m + 2; ++j) {
        if (j != 2 && (scores[0][j] > scores[0][i]).item<bool>()) ++rank;
      }
      CHECK(bin[i].item<int64_t>() ==
            static_cast<int64_t>(static_cast<double>(rank) / (m + 1e-6) * bins));
    }
  }
  // Equal scores rank as they stand.
  const torch::Tensor even = nn::rank_bins(torch::ones({1, 5}), torch::ones({1, 5}), 4)[0];
  CHECK(test::difference(even, torch::tensor({4, 0, 0, 1, 2})) == 0);
}

TEST_CASE("the ranking loss is the second LambdaARP", "[nn][top]") {
  const torch::Tensor s = torch::tensor({{0.3, 0.1, 0.2}}, torch::kDouble);
  const torch::Tensor y = torch::tensor({{2.0, 1.0, 0.0}}, torch::kDouble);
  CHECK(scalar(nn::lambda_arp(s, y)) == Approx(0.421801).epsilon(1e-5));
  CHECK(test::gradient_error([&](const torch::Tensor& x) { return nn::lambda_arp(x, y); }, s) <
        1e-7);
  // Four tokens after the class token, three of them ranked: relevances 4, 3, 2 less their
  // smallest, and one more since a single one is 0.
  const torch::Tensor teacher = torch::tensor({{9.0, 0.1, 0.4, 0.2, 0.3}}, torch::kDouble);
  const torch::Tensor student = torch::tensor({{9.0, 0.5, 0.1, 0.7, 0.2}}, torch::kDouble);
  const torch::Tensor best = torch::tensor({{0.1, 0.2, 0.7}}, torch::kDouble);
  CHECK(scalar(nn::ranking_loss(student, teacher, torch::ones({1, 5}), 3)) ==
        Approx(scalar(nn::lambda_arp(best, torch::tensor({{3.0, 2.0, 1.0}}, torch::kDouble)))));
  CHECK(scalar(nn::ranking_loss(student.slice(1, 0, 1), teacher.slice(1, 0, 1), torch::ones({1, 1}),
                                3)) == 0);
}

TEST_CASE("multiply-adds are ToP's count", "[nn][top]") {
  const auto lengths = [](const std::vector<double>& rows) {
    std::vector<torch::Tensor> list;
    for (const double n : rows) list.push_back(torch::full({1}, n, torch::kDouble));
    return list;
  };
  const BertConfig base;
  CHECK(1e9 * scalar(nn::counted_macs(base, lengths(std::vector<double>(12, 25)))) ==
        Approx(2'134'976'400.0).epsilon(1e-9));
  CHECK(1e9 * scalar(nn::counted_macs(base,
                                      lengths({25, 25, 20, 20, 16, 16, 13, 13, 10, 10, 8, 8}))) ==
        Approx(1'227'112'272.0).epsilon(1e-9));
  CHECK(1e9 * scalar(nn::counted_macs(base, lengths(std::vector<double>(12, 128)))) ==
        Approx(11'175'985'152.0).epsilon(1e-9));
  CHECK_THROWS_WITH(nn::counted_macs(base, lengths({1})), Catch::Contains("[counted_macs]"));
}

TEST_CASE("closed gates and open bins are the dense network", "[nn][top]") {
  auto network = random_top(1);
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor tokens = test::two_texts(), logits = network->forward(tokens);
  CHECK(test::difference(network->classify(network->forward_hard(tokens).class_rows), logits) == 0);
  CHECK(test::difference(network->classify(network->forward_soft(tokens).class_rows), logits) == 0);
  set(network, "site_gates", torch::full({3}, 10.0));
  CHECK(test::difference(network->classify(network->forward_hard(tokens).class_rows), logits) == 0);
  CHECK(test::difference(network->classify(network->forward_soft(tokens).class_rows), logits) <
        1e-6);
}

TEST_CASE("masked rows equal rows that have left before the MLP before", "[nn][top]") {
  auto network = random_top(2, 1, 4);
  set(network, "site_gates", torch::tensor({10.0, -10.0, 10.0}));
  set(network, "rank_bins",
      torch::tensor(
          {{10.0, 10.0, 10.0, -10.0}, {-10.0, -10.0, -10.0, -10.0}, {10.0, -10.0, 10.0, -10.0}}));
  network->eval();
  torch::NoGradGuard guard;
  CHECK(rank_bins_text(network->decided_bins()) == "1110/1111/1010");
  const torch::Tensor tokens = test::two_texts();
  const nn::TopOutput output = network->forward_hard(tokens);
  const torch::Tensor logits = network->classify(output.class_rows);
  const RankBins open = network->decided_bins();
  for (int64_t b = 0; b < 2; ++b) {
    const int64_t length = (tokens[b][0] >= 0).sum().item<int64_t>();
    torch::Tensor x = network->embed(tokens.slice(0, b, b + 1).slice(2, 0, length));
    for (int l = 0; l < 4; ++l) {
      const auto [rows, score] = network->attend(l, x, {}, torch::ones({1, x.size(1)}));
      x = rows;
      if (l < 3) {
        const torch::Tensor bin = nn::rank_bins(score, torch::ones_like(score), 4)[0];
        std::vector<int64_t> kept = {0};
        for (int64_t i = 1; i < x.size(1); ++i) {
          if (open[static_cast<size_t>(l)][static_cast<size_t>(bin[i].item<int64_t>())])
            kept.push_back(i);
        }
        x = x.index_select(1, torch::tensor(kept));
        CHECK(output.kept[static_cast<size_t>(l)][b].sum().item<int64_t>() == x.size(1));
      }
      x = network->mlp(l, x);
    }
    CHECK(test::difference(network->classify(x.select(1, 0)), logits.slice(0, b, b + 1)) < 1e-5);
  }
  CHECK(output.kept.back().sum().item<float>() == 8);
}

TEST_CASE("where every bin is closed one token stays", "[nn][top]") {
  auto network = random_top(3);
  set(network, "site_gates", torch::full({3}, 10.0));
  set(network, "rank_bins", torch::full({3, 5}, -10.0));
  network->eval();
  torch::NoGradGuard guard;
  const nn::TopOutput output = network->forward_hard(test::two_texts());
  for (const torch::Tensor& kept : output.kept) CHECK((kept.sum(1) == 2).all().item<bool>());
  CHECK(torch::isfinite(output.class_rows).all().item<bool>());
}

TEST_CASE("multipliers climb and the sparsity is pulled to its target", "[nn][top]") {
  auto network = random_top(4);
  const torch::Tensor present = torch::ones({2, 8});
  const auto gradients = [&](double sparsity, double target, double first, double second) {
    set(network, "multipliers", torch::tensor({first, second}));
    network->zero_grad();
    torch::Tensor e = torch::tensor(sparsity, torch::kDouble).requires_grad_();
    network->lagrangian(e, target).backward();
    const torch::Tensor m = network->named_parameters()["multipliers"].grad();
    return std::array<double, 3>{scalar(e.grad()), m[0].item<double>(), m[1].item<double>()};
  };
  const auto below = gradients(0.2, 0.5, 1, 1);
  CHECK(below[1] == Approx(0.3));    // down the gradient: lambda_1 falls while E < t
  CHECK(below[2] == Approx(-0.09));  // lambda_2 never falls
  CHECK(below[0] == Approx(1 - 2 * 0.3));
  const auto above = gradients(0.8, 0.5, 0, 1);
  CHECK(above[1] == Approx(-0.3));
  CHECK(above[0] == Approx(0.6));  // pulls E down
  set(network, "multipliers", torch::zeros({2}));
  // Open gates of which fewer bins are kept save work; its gradient reaches both.
  set(network, "site_gates", torch::zeros({3}));
  set(network, "rank_bins", torch::zeros({3, 5}));
  network->zero_grad();
  const torch::Tensor sparsity = network->expected_sparsity(present.sum(1));
  CHECK(scalar(sparsity) > 0.1);
  CHECK(scalar(sparsity) < 0.6);
  sparsity.backward();
  CHECK((network->named_parameters()["rank_bins"].grad() < 0).all().item<bool>());
  CHECK((network->named_parameters()["site_gates"].grad() > 0).all().item<bool>());
}

TEST_CASE("training brings the expected sparsity to ToP's target", "[nn][top]") {
  for (const double target : {0.25, 0.4}) {
    auto network = random_top(8);
    set(network, "site_gates", torch::full({3}, 4.6));
    set(network, "rank_bins", torch::full({3, 5}, 4.6));
    network->train();
    torch::manual_seed(5);
    nn::TopOptions options;
    options.target = target;
    const auto method = nn::top_method(network, test::random_bert(6), options);
    torch::optim::Adam optimizer(network->parameters(), torch::optim::AdamOptions(2e-2));
    for (int step = 0; step < 500; ++step) {  // the multipliers overshoot first
      method->begin_step(std::min(1.0, step / 100.0));
      optimizer.zero_grad();
      method->loss(test::two_texts(), targets()).total.backward();
      optimizer.step();
    }
    torch::NoGradGuard guard;
    const torch::Tensor present = nn::BertImpl::present(test::two_texts());
    CHECK(scalar(network->expected_sparsity(present.sum(1))) == Approx(target).margin(0.03));
  }
}

TEST_CASE("ToP's target is of the lengths that it is given", "[nn][top]") {
  auto network = random_top(5);
  set(network, "site_gates", torch::zeros({3}));
  set(network, "rank_bins", torch::zeros({3, 5}));
  const torch::Tensor in_batch = nn::BertImpl::present(test::two_texts()).sum(1);
  const auto sparsity = [&](std::vector<int64_t> lengths) {
    nn::TopOptions options;
    options.lengths = std::move(lengths);
    const auto method = nn::top_method(network, test::random_bert(6), options);
    for (const auto& [name, value] : method->loss(test::two_texts(), targets()).terms) {
      if (name == "sparsity") return scalar(value);
    }
    return -1.0;
  };
  CHECK(sparsity({}) == Approx(scalar(network->expected_sparsity(in_batch))));
  const torch::Tensor given = torch::tensor({2.0F, 30.0F, 30.0F});
  CHECK(sparsity({2, 30, 30}) == Approx(scalar(network->expected_sparsity(given))));
  CHECK(sparsity({30}) > sparsity({2}));
  // A share of all the work, not a mean of shares: short texts hardly count.
  CHECK(sparsity({2, 30}) > (sparsity({2}) + sparsity({30})) / 2);
}

TEST_CASE("ToP's loss reaches bins, gates, multipliers and weights", "[nn][top]") {
  auto network = random_top(5);
  set(network, "site_gates", torch::full({3}, 1.0));
  set(network, "rank_bins", torch::zeros({3, 5}));
  set(network, "multipliers", torch::tensor({0.1, 0.1}));
  nn::Bert teacher = test::random_bert(6);
  nn::TopOptions options;
  options.target = 0.5;
  const auto method = nn::top_method(network, teacher, options);
  network->train();
  torch::manual_seed(3);
  method->begin_step(options.target_epochs);
  const nn::Loss loss = method->loss(test::two_texts(), targets());
  network->zero_grad();
  loss.total.backward();
  for (const char* name :
       {"rank_bins", "site_gates", "multipliers", "bert.encoder.layer.0.output.dense.weight"}) {
    INFO(name);
    CHECK(network->named_parameters()[name].grad().abs().max().item<float>() > 0);
  }
  for (const auto& parameter : teacher->parameters()) CHECK_FALSE(parameter.grad().defined());
  set(network, "site_gates", torch::full({3}, 10.0));
  set(network, "rank_bins", torch::full({3, 5}, -10.0));
  method->begin_step(options.target_epochs);
  CHECK(network->named_parameters()["rank_bins"].min().item<float>() == Approx(-std::log(100.0)));
  CHECK(method->recipe() == "top(bins=00000/00000/00000, sites=0..2)");
}

TEST_CASE("an epoch of ToP counts where the held-out texts are saved their target", "[nn][top]") {
  auto network = random_top(5);
  nn::TopOptions options;
  options.slack = GENERATE(0.0, 0.2);
  const torch::Tensor tokens = test::two_texts();
  // Half of the bins stay at the first site: what that saves of both texts, by counting.
  set(network, "site_gates", torch::tensor({10.0, -10.0, -10.0}));
  set(network, "rank_bins", torch::tensor({10.0, 10.0, -10.0, -10.0, -10.0}).repeat({3, 1}));
  network->eval();
  torch::NoGradGuard guard;
  const torch::Tensor length = nn::BertImpl::present(tokens).sum(1);
  const torch::Tensor left = network->forward_hard(tokens).kept[0].sum(1);
  CHECK((left < length).all().item<bool>());
  const auto sum = [&](const torch::Tensor& behind) {
    return nn::counted_macs(network->config(), {length, behind, behind, behind}).sum();
  };
  const double saved = 1 - (sum(left) / sum(length)).item<double>();
  for (const double miss : {-0.01, 0.01}) {
    options.target = saved + options.slack + miss;
    const auto method = nn::top_method(network, test::random_bert(6), options);
    method->begin_step(options.target_epochs);
    for (int pass = 0; pass < 2; ++pass) {  // a pass forgets the one before
      method->begin_evaluation();
      method->predict(tokens.slice(0, 0, 1));
      method->predict(tokens.slice(0, 1, 2));
      CHECK(method->is_candidate(false) == (miss < 0));
      CHECK(method->is_candidate(true));  // better than nothing
    }
    method->begin_step(0);
    CHECK_FALSE(method->is_candidate(false));  // the target still grows
  }
}

TEST_CASE("ToP refuses what makes no sense", "[nn][top][errors]") {
  const BertConfig config = test::tiny_bert_config();
  CHECK_THROWS_WITH(nn::TopBert(config, 0, int64_t{5}), Catch::Contains("from 1 to 3"));
  CHECK_THROWS_WITH(nn::TopBert(config, 4, int64_t{5}), Catch::Contains("from 1 to 3"));
  CHECK_THROWS_WITH(nn::TopBert(config, 1, int64_t{0}),
                    Catch::Contains("expected 1 to 1299 bins at 3 sites"));
  CHECK_THROWS_WITH(nn::TopBert(config, 1, int64_t{4000}), Catch::Contains("a recipe can name"));
  BertConfig headless = config;
  headless.num_heads[1] = 0;
  CHECK_THROWS_WITH(nn::TopBert(headless, 1, int64_t{5}),
                    Catch::Contains("an attention in block 1"));
  const auto refused = [&](auto change, const char* message) {
    nn::TopOptions options;
    change(options);
    CHECK_THROWS_WITH(nn::top_method(random_top(1), test::random_bert(2), options),
                      Catch::Contains(message));
  };
  refused([](auto& o) { o.target = 1; }, "a target in (0, 1)");
  refused([](auto& o) { o.target_epochs = -1; }, "target_epochs");
  refused([](auto& o) { o.temperature = 0; }, "temperature");
  refused([](auto& o) { o.ranked = 0; }, "ranked");
  refused([](auto& o) { o.lengths = {0}; }, "lengths of 1 token or more");
  CHECK_THROWS_WITH(nn::top_method(random_top(1), nullptr), Catch::Contains("expected a teacher"));
}
