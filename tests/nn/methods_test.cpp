#include "nn_test.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/nn/attention_scores.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/method.h"
#include "tokensieve/nn/trainer.h"
#include "tokensieve/nn/weights.h"

using namespace tokensieve;

namespace {

nn::Vit random_vit(uint64_t seed, const VitConfig& config = test::tiny_config()) {
  nn::Vit network(config);
  test::randomize(*network, seed);
  return network;
}

struct TwoPictures {
  TwoPictures() {
    torch::manual_seed(9);
    pixels = torch::randn({2, 3, 16, 16});
    targets = torch::softmax(torch::randn({2, 3}), -1);
  }
  torch::Tensor pixels, targets;
};

double term(const nn::Loss& loss, const std::string& wanted) {
  for (const auto& [name, value] : loss.terms) {
    if (name == wanted) return value.item<double>();
  }
  FAIL("no term " << wanted);
  return 0;
}

}  // namespace

TEST_CASE("attention hands over its probabilities and head outputs", "[nn][attention_scores]") {
  nn::Vit network = random_vit(1);
  const TwoPictures batch;
  torch::NoGradGuard guard;
  const torch::Tensor x = network->embed(batch.pixels);
  nn::AttentionTap tap;
  const torch::Tensor attended = network->attend(0, x, {}, 0, &tap);
  CHECK(test::difference(network->mlp(0, attended), network->block(0, x)) < 1e-5);
  CHECK(tap.probabilities.sizes() == torch::IntArrayRef({2, 2, 17, 17}));
  CHECK(tap.outputs.sizes() == torch::IntArrayRef({2, 2, 17, 8}));
  CHECK(test::difference(tap.probabilities.sum(-1), torch::ones({2, 2, 17})) < 1e-5);

  const torch::Tensor class_rows = tap.probabilities.select(2, 0);
  CHECK(test::difference(nn::class_attention(tap),
                         (class_rows.select(1, 0) + class_rows.select(1, 1)) / 2) < 1e-6);
  CHECK(test::difference(nn::received_attention(tap).sum(1), torch::ones({2})) < 1e-5);
  const torch::Tensor lengths = tap.outputs.square().sum(-1).sqrt();
  const torch::Tensor expected = (lengths * class_rows).sum(1) / lengths.sum(1);
  CHECK(test::difference(nn::weighted_class_attention(tap), expected) < 1e-5);
}

TEST_CASE("masked heads see near keys, and attention locality says how much", "[nn][masks]") {
  const TwoPictures batch;
  VitConfig config = test::tiny_config();
  const double pairs =
      static_cast<double>(count_masked_pairs(config.masks, 4, 4, 1)) / (17.0 * 17.0);
  config.masks.heads = {{1}, {}, {}, {}};
  config.masks.kind = GENERATE(AttentionMasks::Kind::multiplicative, AttentionMasks::Kind::hard);
  const bool hard = config.masks.kind == AttentionMasks::Kind::hard;
  nn::Vit network(config);
  test::randomize(*network, 7);
  torch::NoGradGuard guard;
  const torch::Tensor x = network->embed(batch.pixels);
  nn::AttentionTap masked, plain;
  network->attend(0, x, {}, 0, &masked);
  nn::Vit other(test::tiny_config());
  test::randomize(*other, 7);
  other->attend(0, x, {}, 0, &plain);
  const auto head = [](const nn::AttentionTap& tap, int64_t h) {
    return tap.probabilities.select(1, h);
  };
  CHECK(test::difference(head(masked, 0), head(plain, 0)) == 0);
  CHECK(test::difference(head(masked, 1).select(1, 0), head(plain, 1).select(1, 0)) < 1e-6);
  CHECK(test::difference(head(masked, 1), head(plain, 1)) > 1e-3);
  // Row 6 is the patch in the second row and column; patch 16 is far from it.
  const torch::Tensor far = head(masked, 1).select(1, 6);
  CHECK(test::difference(far.select(1, 16), far.select(1, 13)) < 1e-7);
  if (hard) CHECK(far.select(1, 16).abs().max().item<float>() == 0);

  // Logits of 0: attention is even, over all keys or over the near ones.
  network->named_parameters()["blocks.0.attn.qkv.weight"].zero_();
  network->named_parameters()["blocks.0.attn.qkv.bias"].zero_();
  nn::AttentionTap even;
  network->attend(0, x, {}, 0, &even);
  const torch::Tensor locality = nn::attention_locality(even, config, config.masks);
  CHECK(locality[0].item<double>() == Approx(pairs));
  CHECK(locality[1].item<double>() == Approx(hard ? 1.0 : pairs));
  CHECK_THROWS_WITH(network->attend(0, x.slice(1, 0, 9)), Catch::Contains("17 rows"));
  AttentionMasks wrong;
  wrong.heads = {{5}, {}, {}, {}};
  CHECK_THROWS_AS(network->set_masks(wrong), std::invalid_argument);
}

TEST_CASE("EViT's keep rate is the published schedule", "[nn][evit]") {
  nn::EvitOptions options;
  CHECK(nn::evit_keep(options, 0) == 0.7);
  options.full_epochs = 10;
  options.shrink_epochs = 100;
  CHECK(nn::evit_keep(options, 9.9) == 1.0);
  CHECK(nn::evit_keep(options, 35) == Approx(0.956066).epsilon(1e-6));
  CHECK(nn::evit_keep(options, 60) == Approx(0.85));
  CHECK(nn::evit_keep(options, 85) == Approx(0.743934).epsilon(1e-6));
  CHECK(nn::evit_keep(options, 110) == 0.7);
}

TEST_CASE("EViT fuses what it drops, and gradients go through the weights", "[nn][evit]") {
  const TwoPictures batch;
  nn::Vit network = random_vit(2);
  nn::EvitOptions options;
  options.sites = {1};
  options.keep = 0.5;
  const auto method = nn::evit_method(network, nullptr, options);
  // By hand: the sum of all but the eight best, weighted by class attention.
  torch::Tensor x = network->block(0, network->embed(batch.pixels));
  nn::AttentionTap tap;
  x = network->attend(1, x, {}, 0, &tap);
  const torch::Tensor scores = nn::class_attention(tap).slice(1, 1);
  const torch::Tensor order = scores.argsort(true, 1, true);
  const torch::Tensor index = std::get<0>(order.slice(1, 0, 8).sort(1)) + 1;
  const torch::Tensor dropped = order.slice(1, 8);
  const torch::Tensor fused = (scores.gather(1, dropped).unsqueeze(-1) *
                               x.gather(1, (dropped + 1).unsqueeze(-1).expand({-1, -1, 16})))
                                  .sum(1, true);
  x = torch::cat({x.slice(1, 0, 1), x.gather(1, index.unsqueeze(-1).expand({-1, -1, 16})), fused},
                 1);
  x = network->mlp(1, x);
  for (int i = 2; i < 4; ++i) x = network->block(i, x);
  const torch::Tensor expected = network->classify(network->finish(x));
  CHECK(test::difference(method->predict(batch.pixels), expected) < 1e-5);

  // The last query and key weights that matter are those of the weights of the sum.
  method->loss(batch.pixels, batch.targets).total.backward();
  const torch::Tensor by_loss = network->named_parameters()["blocks.1.attn.qkv.weight"].grad();
  network->zero_grad();
  options.fuse = false;
  nn::evit_method(network, nullptr, options)->loss(batch.pixels, batch.targets).total.backward();
  CHECK(test::difference(by_loss, network->named_parameters()["blocks.1.attn.qkv.weight"].grad()) >
        1e-6);
  options.fuse = true;

  // keep = 1 is the dense network.
  options.keep = 1;
  CHECK(test::difference(nn::evit_method(network, nullptr, options)->predict(batch.pixels),
                         network->forward(batch.pixels)) == 0);
  CHECK(Recipe::parse(method->recipe()) == Recipe::parse("evit(keep=0.5, fuse, sites=1)"));
}

TEST_CASE("SaiT's epochs are dense and sparse in turn", "[nn][sait]") {
  const TwoPictures batch;
  nn::Vit network = random_vit(3);
  nn::SaitOptions options;
  options.site = 2;
  options.keep = 0.5;
  const auto method = nn::sait_method(network, random_vit(4), options);
  torch::NoGradGuard guard;
  const auto classification = [&](double epoch) {
    method->begin_step(epoch);
    const nn::Loss loss = method->loss(batch.pixels, batch.targets);
    CHECK(term(loss, "kept") == (static_cast<int>(epoch) % 2 == 1 ? 0.5 : 1.0));
    return term(loss, "classification");
  };
  const double dense =
      nn::soft_cross_entropy(network->forward(batch.pixels), batch.targets).item<double>();
  CHECK(classification(0) == Approx(dense));
  CHECK(classification(2.5) == Approx(dense));
  CHECK(classification(1.99) != Approx(dense));
  CHECK(classification(1) == classification(3));
  const double sparse =
      nn::soft_cross_entropy(method->predict(batch.pixels), batch.targets).item<double>();
  CHECK(classification(1) == Approx(sparse));
  CHECK(Recipe::parse(method->recipe()) == Recipe::parse("sait(keep=0.5, sites=2)"));
}

TEST_CASE("SaiT learns its shares from the teacher's last block", "[nn][sait]") {
  const TwoPictures batch;
  nn::Vit network = random_vit(3), teacher = random_vit(4);
  nn::SaitOptions options;
  options.site = 2;
  options.teacher.logits_weight = 0;
  const auto method = nn::sait_method(network, teacher, options);
  // By hand.
  nn::AttentionTap own, theirs;
  torch::Tensor x = network->block(0, network->embed(batch.pixels));
  network->attend(1, x, {}, 0, &own);
  x = teacher->embed(batch.pixels);
  for (int i = 0; i < 3; ++i) x = teacher->block(i, x);
  teacher->attend(3, x, {}, 0, &theirs);
  const auto shares = [](const torch::Tensor& scores) {
    return scores.slice(1, 1) / scores.slice(1, 1).sum(1, true);
  };
  const torch::Tensor p = shares(nn::class_attention(theirs)),
                      q = shares(nn::received_attention(own));
  const double expected = ((p * (p / q).log()).sum() / 2).item<double>();
  nn::Loss loss = method->loss(batch.pixels, batch.targets);
  CHECK(term(loss, "attention") == Approx(expected).epsilon(1e-4));

  // Its gradient ends before the site; the teacher has none.
  loss.total = loss.total - nn::soft_cross_entropy(network->forward(batch.pixels), batch.targets);
  loss.total.backward();
  REQUIRE(network->named_parameters()["blocks.1.attn.qkv.weight"].grad().defined());
  for (const auto& item : network->named_parameters()) {
    if (!item.value().grad().defined()) continue;
    const double size = item.value().grad().abs().max().item<double>();
    if (item.key() == "blocks.1.attn.qkv.weight") CHECK(size > 1e-4);
    if (item.key().starts_with("blocks.2.") || item.key().starts_with("blocks.3.")) {
      INFO(item.key());
      CHECK(size < 1e-5);
    }
  }
  for (const auto& parameter : teacher->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("AS-ViT keeps what is above its thresholds and learns them", "[nn][asvit]") {
  const TwoPictures batch;
  const std::vector<int> sites = {1, 2};
  nn::AsVit network(test::tiny_config(), sites, std::vector<double>{0.058, 0.06});
  test::randomize(*network, 5);
  {
    torch::NoGradGuard guard;
    network->named_parameters()["site_thresholds"].copy_(torch::tensor({0.058f, 0.06f}));
  }
  const auto output = network->forward_masked(batch.pixels, 1e-2, 0);
  nn::AttentionTap tap;
  torch::Tensor x = network->embed(batch.pixels);
  network->attend(0, x, {}, 0, &tap);
  const torch::Tensor above =
      (nn::weighted_class_attention(tap).slice(1, 1) > 0.058f).to(torch::kFloat);
  CHECK(above.sum().item<float>() > 0);
  CHECK(above.sum().item<float>() < 32);
  CHECK(test::difference(output.decisions[0], above) < 1e-6);
  CHECK((output.decisions[1].round() > above).sum().item<int64_t>() == 0);

  // MACs by hand: 4 n C^2 + 2 n^2 C + 2 n C F.
  const auto block = [](const torch::Tensor& n) {
    return (4 * 256 + 2 * 16 * 32) * n + 2 * 16 * n * n;
  };
  const torch::Tensor n0 = torch::full({2}, 17.0f), n1 = 1 + above.sum(1),
                      n2 = 1 + output.decisions[1].round().sum(1);
  const torch::Tensor macs = (block(n0) + block(n1) + 2 * block(n2)) / 1e9;
  CHECK(test::difference(output.macs / macs, torch::ones({2})) < 1e-5);
  CHECK(network->dense_macs() == Approx(4 * block(n0)[0].item<double>() / 1e9));

  // With the budget alone, thresholds move towards it.
  for (const double rate : {0.1, 1.0}) {
    nn::AsvitOptions options;
    options.temperature = 1e-2;
    options.rate = rate;
    options.macs_weight = 1e9;
    options.teacher.logits_weight = 0;
    network->zero_grad();
    const auto method = nn::asvit_method(network, nullptr, options);
    const nn::Loss loss = method->loss(batch.pixels, batch.targets);
    (loss.total - nn::soft_cross_entropy(output.logits.detach(), batch.targets)).backward();
    const torch::Tensor gradient = network->named_parameters()["site_thresholds"].grad();
    const double sum = gradient.sum().item<double>();
    CHECK((rate < 0.5 ? sum < 0 : sum > 0));  // down the gradient: thresholds rise, or fall
  }
  const auto method = nn::asvit_method(network, nullptr);
  CHECK(Recipe::parse(method->recipe()) == Recipe::parse("asvit(threshold=0.058/0.06, sites=1/2)"));
  CHECK_FALSE(nn::export_backbone(method->network())->contains("site_thresholds"));
  CHECK(method->sieve() == nullptr);
}

TEST_CASE("AS-ViT keeps the best token where none is above its threshold", "[nn][asvit]") {
  const TwoPictures batch;
  VitConfig config = test::tiny_config();
  config.aux_head = GENERATE(false, true);
  nn::AsVit network(config, std::vector<int>{1, 2}, std::vector<double>{0.9, 0.9});
  test::randomize(*network, 6);
  {
    torch::NoGradGuard guard;
    network->named_parameters()["site_thresholds"].fill_(0.9f);
  }
  const auto output = network->forward_masked(batch.pixels, 1e-2, 0);
  for (const torch::Tensor& decision : output.decisions) {
    CHECK(test::difference(decision.sum(1), torch::ones({2})) < 1e-6);
  }
  CHECK(test::difference(output.decisions[0], output.decisions[1]) < 1e-6);
  CHECK(torch::isfinite(output.logits).all().item<bool>());
  const auto method = nn::asvit_method(network, nullptr);
  CHECK(torch::isfinite(method->loss(batch.pixels, batch.targets).total).item<bool>());
}

TEST_CASE("a recipe says exactly what was trained", "[nn][method]") {
  nn::SaitOptions sait;
  sait.site = 2;
  sait.keep = 0.4642857142857143;
  sait.attention_weight = 0;
  CHECK(nn::sait_method(random_vit(1), nullptr, sait)->recipe() ==
        "sait(keep=0.4642857142857143, sites=2)");
  nn::EvitOptions evit;
  evit.sites = {1, 2};
  evit.keep = 5.0 / 7.0;
  CHECK(nn::evit_method(random_vit(1), nullptr, evit)->recipe() ==
        "evit(keep=0.7142857142857143, fuse, sites=1/2)");
}

TEST_CASE("methods refuse options that make no sense", "[nn][method][errors]") {
  nn::Vit network = random_vit(1), teacher = random_vit(2);
  VitConfig without = test::tiny_config();
  without.class_token = false;
  without.pooling = Pooling::mean;
  const nn::Vit mean(without);

  const auto evit = [&](auto change, const nn::Vit& net) {
    nn::EvitOptions options;
    options.sites = {1};
    change(options);
    return nn::evit_method(net, teacher, options);
  };
  CHECK_THROWS_WITH(evit([](auto&) {}, mean), Catch::Contains("[evit] expected a network with"));
  CHECK_THROWS_WITH(evit([](auto& o) { o.sites = {4}; }, network), Catch::Contains("0 to 3"));
  CHECK_THROWS_WITH(evit([](auto& o) { o.keep = 0; }, network), Catch::Contains("keep in (0, 1]"));
  VitConfig headless = test::tiny_config();
  headless.num_heads[1] = 0;
  const nn::Vit gap(headless);
  CHECK_THROWS_WITH(evit([](auto&) {}, gap), Catch::Contains("[evit] expected an attention in"));
  CHECK_THROWS_WITH(evit([](auto& o) { o.teacher.logits_weight = -1; }, network),
                    Catch::Contains("[teacher] expected weights of 0 or more"));
  CHECK_THROWS_WITH(evit([](auto& o) { o.full_epochs = -1; }, network),
                    Catch::Contains("full_epochs"));
  CHECK_THROWS_WITH(evit([](auto& o) { o.teacher.tokens_weight = 1; }, network),
                    Catch::Contains("teacher_tokens 0"));

  const auto sait = [&](auto change, const nn::Vit& net, const nn::Vit& from) {
    nn::SaitOptions options;
    options.site = 2;
    change(options);
    return nn::sait_method(net, from, options);
  };
  CHECK_THROWS_WITH(sait([](auto& o) { o.class_score = true; }, mean, teacher),
                    Catch::Contains("score by received attention"));
  CHECK_THROWS_WITH(sait([](auto& o) { o.site = 0; }, network, teacher), Catch::Contains("[sait]"));
  CHECK_THROWS_WITH(sait([](auto& o) { o.keep = 1.1; }, network, teacher),
                    Catch::Contains("keep in (0, 1]"));
  CHECK_THROWS_WITH(sait(
                        [](auto& o) {
                          o.keep_range = {0.7, 0.3};
                        },
                        network, teacher),
                    Catch::Contains("the smaller first"));
  CHECK_THROWS_WITH(sait([](auto& o) { o.teacher.tokens_weight = 1; }, network, teacher),
                    Catch::Contains("teacher_tokens 0"));
  CHECK_THROWS_WITH(sait([](auto&) {}, network, nullptr), Catch::Contains("expected a teacher"));
  // A teacher without a class token has no attention to learn from.
  CHECK_THROWS_WITH(sait([](auto&) {}, network, mean),
                    Catch::Contains("[teacher] expected a class token"));
  VitConfig coarse = test::tiny_config();
  coarse.patch_size = 8;
  CHECK_THROWS_WITH(sait([](auto&) {}, network, nn::Vit(coarse)),
                    Catch::Contains("expected 4 x 4 patches to compare attention on, got 2 x 2"));
  CHECK_THROWS_WITH(sait([](auto&) {}, gap, teacher),
                    Catch::Contains("[sait] expected an attention in block 1"));
  CHECK_THROWS_WITH(sait([](auto& o) { o.attention_weight = -1; }, network, teacher),
                    Catch::Contains("attention of 0 or more"));

  CHECK_THROWS_WITH(nn::AsVit(without, std::vector<int>{1}, std::vector<double>{0.1}),
                    Catch::Contains("[as_vit] expected a network with a class token"));
  CHECK_THROWS_WITH(
      nn::AsVit(test::tiny_config(), std::vector<int>{1, 2}, std::vector<double>{0.1}),
      Catch::Contains("a threshold for each of 2 sites, got 1"));
  CHECK_THROWS_WITH(nn::AsVit(test::tiny_config(), std::vector<int>{0}, std::vector<double>{0.1}),
                    Catch::Contains("[as_vit]"));
  CHECK_THROWS_WITH(nn::AsVit(headless, std::vector<int>{2}, std::vector<double>{0.1}),
                    Catch::Contains("[as_vit] expected an attention in block 1"));
  CHECK_THROWS_WITH(nn::AsVit(test::tiny_config(), std::vector<int>{1}, std::vector<double>{1e300}),
                    Catch::Contains("[as_vit] expected finite float32 thresholds"));
  const nn::AsVit adaptive(test::tiny_config(), std::vector<int>{1}, std::vector<double>{0.1});
  nn::AsvitOptions options;
  options.rate = 0;
  CHECK_THROWS_WITH(nn::asvit_method(adaptive, teacher, options),
                    Catch::Contains("rate in (0, 1]"));
  options.rate = 0.5;
  options.macs_weight = -1;
  CHECK_THROWS_WITH(nn::asvit_method(adaptive, teacher, options), Catch::Contains("macs and eps"));
  options.macs_weight = 1;
  options.temperature = 0;
  CHECK_THROWS_WITH(nn::asvit_method(adaptive, teacher, options), Catch::Contains("a temperature"));
}
