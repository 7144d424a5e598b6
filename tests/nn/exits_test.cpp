#include "tokensieve/nn/exits.h"

#include "bert_fixture.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/text_method.h"

using namespace tokensieve;

namespace {

BertConfig with_exits() {
  BertConfig config = test::tiny_bert_config();
  config.exits = true;
  return config;
}

torch::Tensor targets() { return torch::tensor({{1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 1.0f}}); }

/// Logits of one text for two classes: `answers` says which is ahead, block after block.
std::vector<torch::Tensor> answers_of(const std::vector<int>& answers) {
  std::vector<torch::Tensor> logits;
  for (size_t l = 0; l < answers.size(); ++l) {
    logits.push_back(torch::zeros({1, 2}));
    logits.back()[0][answers[l]] = static_cast<float>(l + 1);
  }
  return logits;
}

/// The block whose logits were taken.
int taken(const torch::Tensor& logits) { return static_cast<int>(logits.max().item<float>()) - 1; }

std::map<std::string, torch::Tensor> gradients(nn::Method& method, torch::nn::Module& network,
                                               double epoch) {
  network.train();
  network.zero_grad();
  method.begin_step(epoch);
  method.loss(test::two_texts(), targets()).total.backward();
  std::map<std::string, torch::Tensor> found;
  for (const auto& item : network.named_parameters()) {
    const torch::Tensor& gradient = item.value().grad();
    if (gradient.defined() && gradient.abs().max().item<float>() > 0) found[item.key()] = gradient;
  }
  return found;
}

}  // namespace

TEST_CASE("later exits weigh more", "[nn][exits]") {
  torch::manual_seed(2);
  std::vector<torch::Tensor> logits;
  for (int l = 0; l < 3; ++l) logits.push_back(torch::randn({2, 3}));
  const auto ce = [&](int l) {
    return nn::soft_cross_entropy(logits[static_cast<size_t>(l)], targets()).item<double>();
  };
  CHECK(nn::exits_loss(logits, targets()).item<double>() ==
        Approx((ce(0) + 2 * ce(1) + 3 * ce(2)) / 6));
  CHECK_THROWS_WITH(nn::exits_loss({}, targets()), Catch::Contains("[exits_loss]"));
}

TEST_CASE("texts leave as the rule says, each for itself", "[nn][exits]") {
  const auto logits = answers_of({0, 0, 1, 1});  // ever surer
  CHECK(taken(nn::leave_early(logits, {})) == 3);
  CHECK(taken(nn::leave_early(logits, entropy_rule(10))) == 0);
  CHECK(taken(nn::leave_early(logits, entropy_rule(0.3653340))) == 1);
  CHECK(taken(nn::leave_early(logits, entropy_rule(0.3653338))) == 2);
  CHECK(taken(nn::leave_early(logits, patience_rule(1))) == 1);
  CHECK(taken(nn::leave_early(logits, patience_rule(2))) == 3);
  CHECK(taken(nn::leave_early(answers_of({0, 1, 1, 1}), patience_rule(1))) == 2);
  std::vector<torch::Tensor> both;
  const auto other = answers_of({0, 1, 1, 1});
  for (size_t l = 0; l < 4; ++l) both.push_back(torch::cat({logits[l], other[l]}));
  const torch::Tensor answers = nn::leave_early(both, patience_rule(1));
  CHECK(taken(answers[0]) == 1);
  CHECK(taken(answers[1]) == 2);
  CHECK_THROWS_WITH(nn::leave_early({}, {}), Catch::Contains("[leave_early]"));
}

TEST_CASE("PABEE trains all exits and the weights", "[nn][pabee]") {
  nn::Bert network = test::random_bert(4, with_exits());
  const auto method = nn::pabee_method(network, nullptr);
  const auto found = gradients(*method, *network, 0);
  CHECK(found.size() == network->named_parameters().size());
  CHECK(method->recipe() == "pabee(patience=3)");
  const auto logits = network->exit(0, network->pool(network->class_rows(test::two_texts())[0]));
  CHECK(logits.sizes() == torch::IntArrayRef({2, 3}));
  network->eval();
  nn::PabeeOptions all;
  all.patience = 0;
  CHECK(test::difference(nn::pabee_method(network, nullptr, all)->predict(test::two_texts()),
                         network->forward(test::two_texts())) == 0);
}

TEST_CASE("Magic Pyramid trains tokens, then exits with the weights, then exits alone",
          "[nn][magic_pyramid]") {
  nn::LtpBert network(with_exits(), std::vector<double>{0.04, 0.05, 0.06}, int64_t{16});
  test::randomize(*network, 5);
  {
    torch::NoGradGuard guard;
    network->named_parameters()["site_thresholds"].copy_(torch::tensor({0.04f, 0.05f, 0.06f}));
  }
  nn::MagicPyramidOptions options;
  options.ltp.temperature = 1e-2;
  const auto method = nn::magic_pyramid_method(network, nullptr, options);
  const auto is_exit = [](const auto& item) { return item.first.starts_with("classifiers."); };
  const auto soft = gradients(*method, *network, 0.5);
  CHECK(soft.contains("site_thresholds"));
  CHECK(std::ranges::count_if(soft, is_exit) == 0);
  CHECK_FALSE(method->is_candidate(false));
  const auto hard = gradients(*method, *network, 1.5);
  CHECK_FALSE(hard.contains("site_thresholds"));
  CHECK(std::ranges::count_if(hard, is_exit) == 0);
  CHECK_FALSE(method->is_candidate(false));
  const auto joint = gradients(*method, *network, 2.5);
  CHECK(std::ranges::count_if(joint, is_exit) == 6);
  CHECK(joint.contains("bert.pooler.dense.weight"));
  CHECK(method->is_candidate(false));
  const auto alone = gradients(*method, *network, 3.5);
  CHECK(alone.size() == 6);
  CHECK(std::ranges::all_of(alone, is_exit));
  CHECK(method->is_candidate(false));

  network->eval();
  options.entropy = 0;
  const auto patient = nn::magic_pyramid_method(network, nullptr, options);
  CHECK(test::difference(patient->predict(test::two_texts()),
                         nn::ltp_method(network, nullptr)->predict(test::two_texts())) == 0);
}

TEST_CASE("methods with exits refuse what makes no sense", "[nn][exits][errors]") {
  CHECK_THROWS_WITH(nn::pabee_method(test::random_bert(1), nullptr),
                    Catch::Contains("[pabee] expected a network with exits"));
  nn::PabeeOptions impatient;
  impatient.patience = -1;
  CHECK_THROWS_WITH(nn::pabee_method(test::random_bert(1, with_exits()), nullptr, impatient),
                    Catch::Contains("[patience]"));
  const std::vector<double> thresholds = {0.1, 0.1, 0.1};
  CHECK_THROWS_WITH(nn::magic_pyramid_method(
                        nn::LtpBert(test::tiny_bert_config(), thresholds, int64_t{16}), nullptr),
                    Catch::Contains("[magic_pyramid] expected a network with exits"));
  nn::MagicPyramidOptions options;
  options.joint_epochs = -1;
  CHECK_THROWS_WITH(nn::magic_pyramid_method(nn::LtpBert(with_exits(), thresholds, int64_t{16}),
                                             nullptr, options),
                    Catch::Contains("joint_epochs"));
}
