#include "tokensieve/nn/weights.h"
#include "nn_test.h"
#include "tokensieve/io/vit_tensors.h"
#include "tokensieve/nn/dynamic_vit.h"

using namespace tokensieve;

TEST_CASE("a network has timm's parameters, no more and no less", "[nn][weights]") {
  VitConfig config = test::tiny_config();
  const auto variant = GENERATE(range(0, 7));
  if (variant == 1) config.distilled = true;
  if (variant == 2) config.layer_scale = true;
  if (variant == 3) config.num_register_tokens = 4, config.prefix_positions = false;
  if (variant == 4)
    config.pooling = Pooling::mean, config.final_norm = false, config.fc_norm = true;
  if (variant == 5)
    config.num_heads[1] = 0, config.mlp_dim[2] = 0, config.qkv_bias = false, config.pre_norm = true;
  if (variant == 6) config.stem_channels = 6, config.skip_lam = 2, config.aux_head = true;
  const nn::Vit network(config);
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& item : network->named_parameters())
    shapes[item.key()] = item.value().sizes().vec();
  CHECK(shapes == vit_tensors(config));
}

TEST_CASE("weights go out and come back", "[nn][weights]") {
  nn::DynamicVit from(test::tiny_config(), std::vector<int>{1, 2}),
      to(test::tiny_config(), std::vector<int>{1, 2});
  test::randomize(*from, 1);
  test::randomize(*to, 2);
  nn::load_weights(*to, *nn::export_backbone(*from));
  nn::load_parameters(*to, "score_predictor.", *nn::export_parameters(*from, "score_predictor."));
  const auto expected = from->named_parameters();
  for (const auto& item : to->named_parameters()) {
    INFO(item.key());
    CHECK(test::difference(item.value(), expected[item.key()]) == 0);
  }
}

TEST_CASE("a start without the classes gets a new head, if that is asked for", "[nn][weights]") {
  VitConfig more = test::tiny_config();
  more.num_classes = 7;
  nn::Vit start(test::tiny_config()), network(more);
  const auto weights = nn::export_parameters(*start, "");
  CHECK_THROWS_WITH(nn::load_weights(*network, *weights), Catch::Contains("head"));
  const torch::Tensor head = network->named_parameters()["head.weight"].detach().clone();
  nn::LoadOptions options;
  options.head = nn::LoadOptions::Head::load_if_fits;
  nn::load_weights(*network, *weights, options);
  CHECK(test::difference(network->named_parameters()["head.weight"], head) == 0);
  CHECK(test::difference(network->named_parameters()["norm.bias"],
                         start->named_parameters()["norm.bias"]) == 0);
}

TEST_CASE("positions of another grid are resampled, the class token's stays", "[nn][weights]") {
  VitConfig large = test::tiny_config();
  large.image_height = large.image_width = 32;
  nn::Vit start(large), network(test::tiny_config());
  {  // a ramp over the rows of the grid stays a ramp
    torch::NoGradGuard guard;
    torch::Tensor positions = start->named_parameters()["pos_embed"];
    positions.zero_();
    positions.slice(1, 1).copy_(
        torch::arange(8).repeat_interleave(8).view({1, 64, 1}).expand({1, 64, 16}));
    positions.select(1, 0).fill_(5.0);
  }
  nn::LoadOptions options;
  options.grid_height = options.grid_width = 8;
  nn::load_weights(*network, *nn::export_parameters(*start, ""), options);
  const torch::Tensor positions = network->named_parameters()["pos_embed"].detach();
  CHECK(positions[0][0][0].item<float>() == 5.0f);
  CHECK(positions[0][1 + 4 * 1][3].item<float>() == Approx(2.5).margin(0.1));
  CHECK(positions[0][1 + 4 * 2 + 3][3].item<float>() == Approx(4.5).margin(0.1));

  const auto weights = nn::export_parameters(*start, "");
  options.grid_width = 7;
  CHECK_THROWS_WITH(nn::load_weights(*network, *weights, options), Catch::Contains("pos_embed"));
}

TEST_CASE("a missing tensor is named", "[nn][weights][errors]") {
  nn::Vit network(test::tiny_config());
  CHECK_THROWS_WITH(nn::load_weights(*network, MemoryWeights()), Catch::Contains("cls_token"));
  CHECK_THROWS_AS(nn::load_parameters(*network, "head.", MemoryWeights()), std::runtime_error);
}
