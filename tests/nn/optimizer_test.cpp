#include "nn_test.h"
#include "tokensieve/nn/adamw.h"
#include "tokensieve/nn/ema.h"
#include "tokensieve/nn/learning_rate.h"
#include "tokensieve/nn/trainer.h"

using namespace tokensieve;

TEST_CASE("the learning rate takes DynamicViT's published values", "[nn][learning_rate]") {
  constexpr int64_t epoch = 1251;
  const nn::LearningRateSchedule schedule{1e-3, 1e-6, 5 * epoch, 30 * epoch};
  CHECK(schedule.at(0) == 0);
  CHECK(schedule.at(epoch) == Approx(2.0003e-4).epsilon(1e-4));
  CHECK(schedule.at(5 * epoch) == Approx(1e-3).epsilon(1e-9));
  CHECK(schedule.at(10 * epoch) == Approx(9.04604e-4).epsilon(1e-5));
  CHECK(schedule.at(static_cast<int64_t>(17.5 * epoch)) == Approx(5.00525e-4).epsilon(1e-4));
  CHECK(schedule.at(25 * epoch) == Approx(9.6396e-5).epsilon(1e-4));
  CHECK(schedule.at(30 * epoch) == Approx(1e-6));
}

TEST_CASE("AdamW steps as its formula says", "[nn][adamw]") {
  const torch::Tensor weight = torch::tensor({1.0f, -2.0f}).requires_grad_();
  nn::ParameterGroup group{{"w"}, {weight}, 0.5, 0.1, 0};
  nn::AdamW adam({group});
  double m[2] = {}, v[2] = {}, w[2] = {1.0, -2.0};
  for (int t = 1; t <= 3; ++t) {
    adam.zero_grad();
    (weight * weight).sum().backward();
    adam.step(0.1, 0);
    for (int i = 0; i < 2; ++i) {
      const double g = 2 * w[i], rate = 0.05;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      w[i] -= rate * 0.1 * w[i];
      w[i] -= rate * (m[i] / (1 - std::pow(0.9, t))) /
              (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      CHECK(weight[i].item<double>() == Approx(w[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("a frozen group stands still while its moments gather", "[nn][adamw]") {
  const torch::Tensor weight = torch::tensor({1.0f}).requires_grad_();
  nn::AdamW adam({{{"w"}, {weight}, 1.0, 0.1, 2}});
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    adam.zero_grad();
    (3 * weight).sum().backward();
    adam.step(0.1, epoch);
    CHECK((weight.item<float>() == 1.0f) == (epoch < 2));
    CHECK(adam.state().at("m.w").item<float>() > 0);
  }
}

TEST_CASE("gradients are clipped to their common norm", "[nn][adamw]") {
  const torch::Tensor a = torch::zeros({1}).requires_grad_(),
                      b = torch::zeros({1}).requires_grad_();
  nn::AdamW adam({{{"a"}, {a}}, {{"b"}, {b}}});
  (3 * a + 4 * b).sum().backward();
  CHECK(adam.clip_gradients(0) == Approx(5));
  CHECK(a.grad().item<float>() == 3);
  CHECK(adam.clip_gradients(1) == Approx(5));
  CHECK(a.grad().item<float>() == Approx(0.6).epsilon(1e-4));
  CHECK(b.grad().item<float>() == Approx(0.8).epsilon(1e-4));
}

TEST_CASE("gradients of thresholds do not shrink those of weights", "[nn][adamw]") {
  const torch::Tensor a = torch::zeros({1}).requires_grad_(),
                      b = torch::zeros({1}).requires_grad_();
  nn::AdamW adam({{{"a"}, {a}}, {{"b"}, {b}, 1.0, 0.0, 0, /*clips_apart=*/true}});
  (0.5 * a + 60 * b).sum().backward();
  CHECK(adam.clip_gradients(1) == Approx(60));
  CHECK(a.grad().item<float>() == 0.5f);
  CHECK(b.grad().item<float>() == Approx(1).epsilon(1e-4));
  b.mutable_grad().fill_(std::nanf(""));
  CHECK(std::isnan(adam.clip_gradients(1)));
}

TEST_CASE("the moving average follows, and swapping twice changes nothing", "[nn][ema]") {
  torch::nn::Linear layer(2, 2);
  nn::Ema ema(*layer, 0.9);
  const torch::Tensor start = layer->weight.detach().clone();
  {
    torch::NoGradGuard guard;
    layer->weight.add_(1.0);
  }
  ema.update(1000);
  CHECK(test::difference(ema.state().at("weight"), start + 0.1) < 1e-6);
  ema.swap();
  CHECK(test::difference(layer->weight, start + 0.1) < 1e-6);
  ema.swap();
  CHECK(test::difference(layer->weight, start + 1.0) == 0);
  ema.update(0);  // early steps weigh more: 1 - 1/10
  CHECK(test::difference(ema.state().at("weight"), start + 0.1 + 0.9 * 0.9) < 1e-6);
  CHECK_THROWS_WITH(nn::Ema(*layer, 1.0), Catch::Contains("[ema]"));
}

TEST_CASE("each block learns slower than the one above it; biases do not decay",
          "[nn][parameter_groups]") {
  nn::DynamicVit network(test::tiny_config(), std::vector<int>{1, 2});
  nn::LearningRates rates;
  rates.base = 1e-4;
  rates.head = 1e-3;
  rates.predictors = 5e-4;
  rates.layer_decay = 0.5;
  rates.frozen_epochs = 3;
  const auto find = [&](const std::string& name) {
    for (const auto& group : nn::parameter_groups(*network, rates)) {
      if (std::ranges::count(group.names, name) > 0) return group;
    }
    FAIL(name);
    return nn::ParameterGroup{};
  };
  CHECK(nn::peak_rate(rates) == 1e-3);
  CHECK(find("blocks.3.mlp.fc1.weight").scale == Approx(0.1));
  CHECK(find("blocks.0.mlp.fc1.weight").scale == Approx(0.0125));
  CHECK(find("patch_embed.proj.weight").scale == Approx(0.00625));
  CHECK(find("norm.weight").scale == Approx(0.1));
  CHECK(find("head.weight").scale == 1.0);
  CHECK(find("head.weight").first_epoch == 3);
  CHECK(find("score_predictor.1.out_conv.0.weight").scale == Approx(0.5));
  CHECK(find("score_predictor.1.out_conv.0.weight").first_epoch == 0);
  CHECK(find("blocks.3.mlp.fc1.weight").first_epoch == 3);
  CHECK(find("blocks.3.mlp.fc1.weight").weight_decay == 0.05);
  for (const auto* name :
       {"blocks.3.mlp.fc1.bias", "blocks.1.norm1.weight", "cls_token", "pos_embed"}) {
    CHECK(find(name).weight_decay == 0);
  }
  size_t count = 0;
  for (const auto& group : nn::parameter_groups(*network, rates)) count += group.names.size();
  CHECK(count == network->named_parameters().size());
  rates.freeze_embeddings = true;
  size_t fewer = 0;
  for (const auto& group : nn::parameter_groups(*network, rates)) fewer += group.names.size();
  CHECK(fewer == count - 2);
  CHECK_FALSE(network->named_parameters()["cls_token"].requires_grad());
  rates.weight_decay = -1;
  CHECK_THROWS_WITH(nn::parameter_groups(*network, rates), Catch::Contains("weight_decay"));
  rates.weight_decay = 0;
  rates.layer_decay = 0;
  CHECK_THROWS_WITH(nn::parameter_groups(*network, rates), Catch::Contains("layer_decay"));
  rates.layer_decay = 1;
  rates.base = 0;
  CHECK_THROWS_WITH(nn::parameter_groups(*network, rates),
                    Catch::Contains("learning_rate above 0"));
}
