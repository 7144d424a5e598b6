#include "mix_token.h"
#include "nn_test.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/method.h"

using namespace tokensieve;

namespace {

/// Maps of `pictures` pictures with every class of each place, and the logits they hold.
struct RandomMaps {
  explicit RandomMaps(int64_t pictures, int64_t side = 4, int64_t top = 3) {
    torch::manual_seed(4);
    logits = torch::randn({pictures, 3, side, side}).to(torch::kHalf).to(torch::kFloat);
    const auto [scores, ids] = logits.topk(top, 1);
    maps = nn::LabelMaps(torch::stack({scores, ids.to(torch::kFloat)}, 1).to(torch::kHalf), 3);
  }
  torch::Tensor logits;
  nn::LabelMaps maps;
};

VitConfig two_heads() {
  VitConfig config = test::tiny_config();
  config.aux_head = true;
  return config;
}

Batch batch_of(std::vector<int64_t> indices, std::vector<int64_t> labels) {
  Batch batch;
  batch.indices = std::move(indices);
  batch.labels = std::move(labels);
  return batch;
}

double term(const nn::Loss& loss, const std::string& wanted) {
  for (const auto& [name, value] : loss.terms) {
    if (name == wanted) return value.item<double>();
  }
  FAIL("no term " << wanted);
  return 0;
}

torch::Tensor entropy(const torch::Tensor& logits, const torch::Tensor& targets) {
  return -(targets * torch::log_softmax(logits, -1)).sum(-1);
}

}  // namespace

TEST_CASE("RoIAlign gives a map back, and means of its parts", "[nn][label_maps]") {
  const torch::Tensor map = torch::arange(16, torch::kFloat).view({1, 1, 4, 4});
  const auto box = [](double top, double left, double bottom, double right) {
    return torch::tensor({{top, left, bottom, right}}, torch::kDouble);
  };
  CHECK(test::difference(nn::roi_align(map, box(0, 0, 4, 4), 4, 4), map) < 1e-6);
  CHECK(nn::roi_align(map, box(0, 0, 4, 4), 1, 1).item<float>() == Approx(7.5));
  CHECK(test::difference(nn::roi_align(map, box(0, 0, 4, 4), 2, 2).flatten(),
                         torch::tensor({2.5, 4.5, 10.5, 12.5})) < 1e-6);
  // The cells in the middle, and half a cell to the right of the first: between two middles.
  CHECK(test::difference(nn::roi_align(map, box(1, 1, 3, 3), 2, 2).flatten(),
                         torch::tensor({5.0, 6.0, 9.0, 10.0})) < 1e-6);
  CHECK(nn::roi_align(map, box(0, 0.5, 1, 1.5), 1, 1).item<float>() == Approx(0.5));
  // Points before the first middle have its value; a cell of 1.5 is the mean of two points.
  CHECK(nn::roi_align(map, box(0, 0, 0.5, 0.5), 1, 1).item<float>() == Approx(0.0));
  CHECK(nn::roi_align(map, box(0, 0, 1, 1.5), 1, 1).item<float>() == Approx((0.0 + 0.625) / 2));

  CHECK_THROWS_WITH(nn::roi_align(map, box(0, 0, 4, 4), 0, 1), Catch::Contains("[roi_align]"));
  CHECK_THROWS_WITH(nn::roi_align(map.expand({2, 1, 4, 4}), box(0, 0, 4, 4), 1, 1),
                    Catch::Contains("boxes"));
}

TEST_CASE("labels of a whole picture are the softmax of its map", "[nn][label_maps]") {
  const RandomMaps random(2);
  const std::vector<int64_t> both = {1, 0};
  const torch::Tensor labels = random.maps.labels(both, {}, 4, 4);
  const torch::Tensor expected = random.logits.softmax(1).flatten(2).transpose(1, 2).flip(0);
  CHECK(test::difference(labels, expected) < 1e-6);
  // As the authors smooth, the sum is 1 + eps / K: 1.0001 for 1000 classes.
  const torch::Tensor smooth = nn::smoothed_labels(labels, 0.1);
  CHECK(test::difference(smooth.sum(-1), torch::full({2, 16}, 1 + 0.1 / 3)) < 1e-6);
  const torch::Tensor thousand = nn::smoothed_labels(torch::full({1, 1000}, 0.001), 0.1);
  CHECK(thousand.sum().item<double>() == Approx(1.0001).epsilon(1e-6));
  CHECK(nn::smoothed_labels(torch::tensor({{1.0, 0.0}}), 0.1)[0][0].item<double>() ==
        Approx(0.9 + 0.05 + 0.05));
}

TEST_CASE("classes that were not stored have a logit of 0", "[nn][label_maps]") {
  const RandomMaps random(1, 4, 2);
  const std::vector<int64_t> first = {0};
  const torch::Tensor labels = random.maps.labels(first, {}, 4, 4);
  const torch::Tensor least = std::get<0>(random.logits.min(1, true));
  const torch::Tensor logits = torch::where(random.logits == least, 0.0, random.logits);
  CHECK(test::difference(labels, logits.softmax(1).flatten(2).transpose(1, 2)) < 1e-6);
}

TEST_CASE("labels follow the crop and the mirror image", "[nn][label_maps]") {
  const RandomMaps random(1);
  const std::vector<int64_t> first = {0};
  // Pictures of 40 x 80: the lower right quarter.
  Crop crop{{40, 20, 40, 20}, 80, 40, false};
  const std::vector<Crop> plain = {crop};
  const torch::Tensor quarter = random.maps.labels(first, plain, 2, 2);
  const torch::Tensor expected = random.logits.slice(2, 2, 4).slice(3, 2, 4).softmax(1);
  CHECK(test::difference(quarter, expected.flatten(2).transpose(1, 2)) < 1e-6);
  crop.flipped = true;
  const std::vector<Crop> mirrored = {crop};
  CHECK(test::difference(random.maps.labels(first, mirrored, 2, 2),
                         expected.flip({3}).flatten(2).transpose(1, 2)) < 1e-6);
  CHECK_THROWS_WITH(random.maps.labels(std::vector<int64_t>{0, 0}, plain, 2, 2),
                    Catch::Contains("a crop for each of 2 pictures"));
}

TEST_CASE("label maps that make no sense are refused", "[nn][label_maps][errors]") {
  const torch::Tensor good = RandomMaps(2).maps.maps();
  CHECK_THROWS_WITH(nn::LabelMaps(good, 2), Catch::Contains("[label_maps]"));
  CHECK_THROWS_WITH(nn::LabelMaps(good, 3000), Catch::Contains("1 to 2048 classes"));
  CHECK_THROWS_WITH(nn::LabelMaps(good.to(torch::kFloat), 3), Catch::Contains("float16"));
  CHECK_THROWS_WITH(nn::LabelMaps(good.select(1, 0), 3), Catch::Contains("float16 maps"));
  torch::Tensor bad = good.clone();
  bad[0][1][0][0][0] = 3;
  CHECK_THROWS_WITH(nn::LabelMaps(bad, 3), Catch::Contains("classes 0 to 2"));
  bad[0][1][0][0][0] = 0.5;
  CHECK_THROWS_WITH(nn::LabelMaps(bad, 3), Catch::Contains("classes 0 to 2"));
  bad = good.clone();
  bad[0][0][0][0][0] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(nn::LabelMaps(bad, 3), Catch::Contains("finite"));

  const auto path = std::filesystem::temp_directory_path() / "tokensieve_label_maps.safetensors";
  const nn::LabelMaps maps(good, 3);
  nn::save_label_maps(path, maps, "one");
  CHECK(torch::equal(nn::load_label_maps(path, 3, "one").maps(), good));
  CHECK_THROWS_WITH(nn::load_label_maps(path, 3, "two"), Catch::Contains("another teacher"));
  CHECK_THROWS_AS(nn::load_label_maps(path, 2, "one"), std::runtime_error);
  std::filesystem::remove(path);
}

TEST_CASE("MixToken swaps a box with the batch's reverse, and back", "[nn][token_labeling]") {
  const torch::Tensor rows = torch::randn({3, 12, 5});  // a grid of 3 x 4
  const nn::MixToken mix(3, 4, 1, 1, 2, 3);
  const torch::Tensor mixed = mix.swap(rows);
  for (int64_t token = 0; token < 12; ++token) {
    const bool inside = token / 4 >= 1 && token % 4 >= 1;
    CHECK(torch::equal(mixed[0][token], rows[inside ? 2 : 0][token]));
    CHECK(torch::equal(mixed[1][token], rows[1][token]));
  }
  CHECK(torch::equal(mix.swap(mixed), rows));
  const torch::Tensor labels = torch::eye(3);
  CHECK(test::difference(mix.mixed(labels)[0], torch::tensor({0.5, 0.0, 0.5})) < 1e-6);

  // lambda = 1 is a box of nothing.
  const nn::MixToken none(3, 4, 1, 1, 0, 3);
  CHECK(torch::equal(none.swap(rows), rows));
  CHECK(torch::equal(none.mixed(labels), labels));
  CHECK(torch::equal(nn::MixToken::draw(3, 4, 0).swap(rows), rows));

  // Beta(1, 1) is even, and the box has its share of the grid but for what the border cuts off.
  torch::manual_seed(1);
  double share = 0;
  for (int i = 0; i < 400; ++i) {
    const torch::Tensor ones = torch::tensor({{1.0, 0.0}, {0.0, 1.0}});
    share += nn::MixToken::draw(8, 8, 1.0).mixed(ones)[0][0].item<double>() / 400;
  }
  CHECK(share > 0.55);
  CHECK(share < 0.8);
}

TEST_CASE("the token loss is the mean over kept tokens", "[nn][token_labeling][losses]") {
  torch::manual_seed(2);
  const torch::Tensor logits = torch::randn({2, 5, 3}, torch::kDouble);
  const torch::Tensor targets = torch::softmax(torch::randn({2, 5, 3}, torch::kDouble), -1);
  CHECK(nn::token_cross_entropy(logits, targets).item<double>() ==
        Approx(entropy(logits, targets).mean().item<double>()));
  torch::Tensor kept = torch::ones({2, 5}, torch::kDouble);
  kept[0][2] = kept[1][4] = 0;
  CHECK(nn::token_cross_entropy(logits, targets, kept).item<double>() ==
        Approx((entropy(logits, targets) * kept).sum().item<double>() / 8));
  CHECK(nn::token_cross_entropy(logits, targets, torch::zeros_like(kept)).item<double>() == 0);
  CHECK(test::gradient_error(
            [&](const auto& x) { return nn::token_cross_entropy(x, targets, kept); }, logits) <
        1e-8);
}

TEST_CASE("token labeling is the sum of its two losses", "[nn][token_labeling]") {
  torch::manual_seed(5);
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  const RandomMaps random(4);
  nn::Vit network(two_heads());
  test::randomize(*network, 6);
  nn::TokenLabelingOptions options;
  options.mix_alpha = 0;
  options.tokens_weight = GENERATE(0.5, 0.0);
  const auto method = nn::token_labeling_method(network, random.maps, options);
  CHECK_THROWS_WITH(method->loss(pixels, {}), Catch::Contains("begin_batch"));
  const Batch batch = batch_of({3, 1}, {0, 2});
  method->begin_batch(batch);
  const nn::Loss loss = method->loss(pixels, {});

  const auto labels = [&](int64_t side) {
    return nn::smoothed_labels(random.maps.labels(batch.indices, {}, side, side), 0.1);
  };
  const torch::Tensor finished = network->features(pixels);
  const double classes =
      entropy(network->class_logits(finished), labels(1).squeeze(1)).mean().item<double>();
  const double tokens =
      entropy(network->token_logits(finished.slice(1, 1)), labels(4)).mean().item<double>();
  CHECK(term(loss, "classification") == Approx(classes));
  CHECK(loss.total.item<double>() == Approx(classes + options.tokens_weight * tokens));
  CHECK(loss.terms.size() == (options.tokens_weight > 0 ? 2 : 1));
  CHECK(method->recipe() == "dense");
  // Evaluation adds half of the best token's answer.
  CHECK(test::difference(method->predict(pixels), network->forward(pixels)) == 0);
}

TEST_CASE("mixed tokens keep their labels", "[nn][token_labeling]") {
  // A network whose rows know nothing of each other: attention gives 0.
  nn::Vit network(two_heads());
  test::randomize(*network, 7);
  {
    torch::NoGradGuard guard;
    for (const auto& item : network->named_parameters()) {
      if (item.key().find(".proj.") != std::string::npos &&
          item.key().find("blocks") != std::string::npos)
        item.value().zero_();
    }
  }
  torch::manual_seed(8);
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  const RandomMaps random(2);
  const Batch batch = batch_of({0, 1}, {0, 2});
  nn::TokenLabelingOptions options;
  options.mix_alpha = 0;
  const auto plain = nn::token_labeling_method(network, random.maps, options);
  options.mix_alpha = 1;
  const auto mixing = nn::token_labeling_method(network, random.maps, options);
  plain->begin_batch(batch);
  mixing->begin_batch(batch);
  const double expected = term(plain->loss(pixels, {}), "tokens");
  for (int i = 0; i < 5; ++i) {
    CHECK(term(mixing->loss(pixels, {}), "tokens") == Approx(expected).epsilon(1e-5));
  }

  // Where rows do look at each other, they see those of the other picture.
  test::randomize(*network, 7);
  const double alone = term(plain->loss(pixels, {}), "tokens");
  int differ = 0;
  for (int i = 0; i < 5; ++i) {
    differ += std::abs(term(mixing->loss(pixels, {}), "tokens") - alone) > 1e-4;
  }
  CHECK(differ >= 3);
}

TEST_CASE("the ground truth corrects labels of the class token", "[nn][token_labeling]") {
  const RandomMaps random(2);
  nn::Vit network(two_heads());
  test::randomize(*network, 9);
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  nn::TokenLabelingOptions options;
  options.mix_alpha = 0;
  options.ground_truth = true;
  const auto method = nn::token_labeling_method(network, random.maps, options);
  const std::vector<int64_t> both = {0, 1};
  const torch::Tensor own = nn::smoothed_labels(random.maps.labels(both, {}, 1, 1).squeeze(1), 0.1);
  const torch::Tensor best = own.argmax(1);
  const int64_t right = best[0].item<int64_t>(), wrong = (best[1].item<int64_t>() + 1) % 3;
  method->begin_batch(batch_of(both, {right, wrong}));
  torch::Tensor labels = own.clone();
  labels[0] *= 0.5;
  labels[0][right] += 0.5;
  labels[1] *= 0.9;
  labels[1][wrong] += 0.1;
  const torch::Tensor logits = network->class_logits(network->features(pixels));
  CHECK(term(method->loss(pixels, {}), "classification") ==
        Approx(entropy(logits, labels).mean().item<double>()));
}

TEST_CASE("with token pruning the loss is of the tokens that stay", "[nn][token_labeling]") {
  nn::DynamicVit network(two_heads(), std::vector<int>{1, 3});
  test::randomize(*network, 10);
  torch::manual_seed(11);
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  const RandomMaps random(2);
  nn::TokenLabelingOptions options;
  options.mix_alpha = 0;
  options.keep = 0.6;
  const auto method = nn::token_labeling_method(network, random.maps, options);
  const Batch batch = batch_of({0, 1}, {0, 2});
  method->begin_batch(batch);
  torch::manual_seed(12);
  const nn::Loss loss = method->loss(pixels, {});
  torch::manual_seed(12);
  // The draw of the box comes first in the method; without mixing there is none.
  const nn::DynamicOutput output = network->forward_masked(pixels);
  const torch::Tensor kept = output.decisions.back();
  REQUIRE(kept.sum().item<double>() < 32);
  const torch::Tensor labels =
      nn::smoothed_labels(random.maps.labels(batch.indices, {}, 4, 4), 0.1);
  const torch::Tensor each = entropy(network->token_logits(output.tokens), labels);
  CHECK(term(loss, "tokens") == Approx(((each * kept).sum() / kept.sum()).item<double>()));
  CHECK(term(loss, "ratio") ==
        Approx(nn::ratio_loss(output.decisions, nn::keep_rates(0.6, 2)).item<double>()));
  loss.total.backward();
  CHECK(network->named_parameters()["score_predictor.0.in_conv.1.weight"]
            .grad()
            .abs()
            .sum()
            .item<double>() > 0);
  CHECK(method->recipe() == "dynamicvit(keep=0.6, sites=1/3)");
  REQUIRE(method->sieve());
  CHECK(method->sieve()->contains("score_predictor.1.out_conv.4.bias"));
}

TEST_CASE("patch logits are the classifier as a convolution", "[nn][label_maps]") {
  VitConfig config = test::tiny_config();
  config.pooling = Pooling::mean;
  nn::Vit network(config);
  test::randomize(*network, 13);
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  const torch::Tensor patches = network->features(pixels).slice(1, 1);
  CHECK(test::difference(network->patch_logits(patches).mean(1), network->forward(pixels)) < 1e-5);
  nn::Vit two(two_heads());
  CHECK(test::difference(two->patch_logits(patches), two->token_logits(patches)) == 0);
}

TEST_CASE("token labeling refuses what it cannot train", "[nn][token_labeling][errors]") {
  const nn::LabelMaps maps = RandomMaps(2).maps;
  nn::TokenLabelingOptions options;
  const auto make = [&](const VitConfig& config) {
    return nn::token_labeling_method(nn::Vit(config), maps, options);
  };
  CHECK_THROWS_WITH(make(test::tiny_config()), Catch::Contains("second head"));
  VitConfig config = two_heads();
  config.num_classes = 4;
  CHECK_THROWS_WITH(make(config), Catch::Contains("label maps of 4 classes"));
  config = test::tiny_config();
  config.pooling = Pooling::mean;
  options.tokens_weight = 0;
  CHECK_THROWS_WITH(make(config), Catch::Contains("one head on its class token"));
  options = {};
  options.keep = 0;
  CHECK_THROWS_WITH(make(two_heads()), Catch::Contains("keep in (0, 1]"));
  options = {};
  options.mix_alpha = -1;
  CHECK_THROWS_WITH(make(two_heads()), Catch::Contains("mix_token"));
  options = {};
  Batch batch = batch_of({0, 1}, {0, 1});
  batch.mixture.lambda = 0.5;
  CHECK_THROWS_WITH(make(two_heads())->begin_batch(batch), Catch::Contains("cutmix"));
}
