#include "bert_fixture.h"
#include "tokensieve/nn/weights.h"

using namespace tokensieve;

TEST_CASE("parameters have Hugging Face's names", "[nn][bert]") {
  for (const char* name : {"bert", "distilbert", "roberta"}) {
    BertConfig config = test::tiny_bert_config();
    config.name = name;
    config.exits = true;
    if (config.name == "distilbert") config.type_vocab_size = 0;
    nn::Bert network(config);
    auto expected = bert_tensors(config);
    expected.merge(exit_tensors(config));
    const auto parameters = network->named_parameters();
    CHECK(parameters.size() == expected.size());
    for (const auto& [key, shape] : expected) {
      INFO(key);
      REQUIRE(parameters.contains(key));
      CHECK(parameters[key].sizes() == at::IntArrayRef(shape));
    }
  }
}

TEST_CASE("a text answers the same alone and padded in a batch", "[nn][bert]") {
  nn::Bert network = test::random_bert(1);
  network->eval();
  const torch::Tensor both = test::two_texts();
  const torch::Tensor logits = network->forward(both);
  CHECK(test::difference(network->forward(both.slice(0, 0, 1)), logits.slice(0, 0, 1)) < 1e-5);
  const torch::Tensor alone = both.slice(0, 1, 2).slice(2, 0, 5);
  CHECK(test::difference(network->forward(alone), logits.slice(0, 1, 2)) < 1e-5);
  // What a padded place would be does not matter.
  CHECK(nn::BertImpl::present(both).sum().item<float>() == 13);
  CHECK_FALSE(nn::BertImpl::bias_of(nn::BertImpl::present(alone)).defined());
}

TEST_CASE("dropout is of training alone and a function of the generator", "[nn][bert]") {
  nn::Bert network(test::tiny_bert_config(), 0.3);
  test::randomize(*network, 2);
  const torch::Tensor tokens = test::two_texts();
  const auto run = [&] {
    torch::manual_seed(5);
    return network->forward(tokens);
  };
  network->train();
  const torch::Tensor first = run();
  CHECK(test::difference(first, run()) == 0);
  CHECK(test::difference(first, network->forward(tokens)) > 1e-3);
  network->eval();
  CHECK(test::difference(network->forward(tokens), network->forward(tokens)) == 0);
}

TEST_CASE("attention received is divided by the reference length or the live tokens",
          "[nn][bert]") {
  nn::Bert network = test::random_bert(8);
  network->eval();
  const torch::Tensor tokens = test::two_texts(), live = nn::BertImpl::present(tokens);
  const torch::Tensor x = network->embed(tokens), bias = nn::BertImpl::bias_of(live);
  const auto [rows, fixed] = network->attend(0, x, bias, live, 16);
  const auto [same, mean] = network->attend(0, x, bias, live);
  CHECK(test::difference(rows, network->attend(0, x, bias)) == 0);
  CHECK(test::difference(same, rows) == 0);
  CHECK(test::difference(fixed.sum(1), torch::tensor({8.0 / 16, 5.0 / 16})) < 1e-6);
  CHECK(test::difference(mean.sum(1), torch::ones({2})) < 1e-6);
  CHECK(mean[1].slice(0, 5).max().item<float>() == 0);  // nothing for what is not there
}

TEST_CASE("halves that the config leaves out return their rows", "[nn][bert]") {
  BertConfig config = test::tiny_bert_config();
  config.num_heads[1] = 0;
  config.mlp_dim[2] = 0;
  nn::Bert network(config);
  const torch::Tensor x = network->embed(test::two_texts());
  CHECK(test::difference(network->attend(1, x), x) == 0);
  CHECK(test::difference(network->mlp(2, x), x) == 0);
  CHECK_THROWS_WITH(network->attend(1, x, {}, torch::ones({2, 8})),
                    Catch::Contains("an attention in block 1 to score by"));
  CHECK(torch::isfinite(network->forward(test::two_texts())).all().item<bool>());
}

TEST_CASE("weights of an embedding start a classifier", "[nn][bert][weights]") {
  nn::Bert source = test::random_bert(3);
  MemoryWeights weights;
  BertConfig bare = test::tiny_bert_config();
  bare.head = TextHead::embedding;
  bare.num_classes = 0;
  for (const auto& item : source->named_parameters()) {
    const std::string& name = item.key();
    if (!name.starts_with("bert.")) continue;
    const torch::Tensor value = item.value().detach().contiguous();
    weights.set(name.substr(5), value.sizes().vec(),
                {value.data_ptr<float>(), value.data_ptr<float>() + value.numel()});
  }
  nn::Bert network(test::tiny_bert_config());
  const torch::Tensor classifier =
      network->named_parameters()["classifier.weight"].detach().clone();
  CHECK_THROWS_WITH(nn::load_weights(*network, weights, bare), Catch::Contains("classifier"));
  nn::load_weights(*network, weights, bare, nn::LoadOptions::Head::fresh);
  const torch::Tensor tokens = test::two_texts();
  CHECK(test::difference(network->class_rows(tokens).back(), source->class_rows(tokens).back()) ==
        0);
  CHECK(test::difference(network->pool(network->class_rows(tokens).back()),
                         source->pool(source->class_rows(tokens).back())) == 0);
  CHECK(test::difference(network->named_parameters()["classifier.weight"], classifier) == 0);
}

TEST_CASE("a text network refuses what it cannot read", "[nn][bert][errors]") {
  BertConfig config = test::tiny_bert_config();
  config.head = TextHead::tokens;
  config.pooler = PoolerActivation::none;
  CHECK_THROWS_WITH(nn::Bert(config), Catch::Contains("[bert] expected a classification head"));
  CHECK_THROWS_WITH(nn::Bert(test::tiny_bert_config(), 1.0), Catch::Contains("dropout in [0, 1)"));
  nn::Bert network(test::tiny_bert_config());
  CHECK_THROWS_WITH(network->forward(torch::zeros({2, 8}, torch::kLong)),
                    Catch::Contains("tokens [B, 2, n]"));
  CHECK_THROWS_WITH(network->forward(torch::zeros({2, 2, 17}, torch::kLong)),
                    Catch::Contains("n from 1 to 16"));
  CHECK_THROWS_WITH(network->exit(1, torch::zeros({2, 16})), Catch::Contains("an exit after"));
}
