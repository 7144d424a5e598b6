#include "tokensieve/engine/vit.h"
#include <limits>

#include <catch2/catch.hpp>
#include <cmath>
#include <thread>

#include "tokensieve/core/triple_reducer.h"
#include "vit_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

/// LV-ViT in small: no qkv bias, two heads, a convolution stem.
VitConfig tiny_lvvit() {
  VitConfig config = tiny();
  config.stem_channels = 10;
  config.skip_lam = 2.0f;
  config.aux_head = true;
  config.qkv_bias = false;
  config.layer_norm_eps = 1e-5f;
  return config;
}

const char* const kRecipes[] = {
    "dense",
    "evit(keep=0.7, sites=0/1/2)",
    "evit(keep=0.5, fuse, sites=1/2)",
    "evit(threshold=0.02, sites=0/2)",
    "evit(mass=0.8, fuse, sites=1/3)",
    "score=received_attention | select=top_k(0.6, of=input, round=floor) | drop=gone | "
    "at=before:1/2/3",
    "score=cls_attention | select=top_k(0.5) | drop=gone | at=inside_attention:1/2",
    "score=received_attention | select=top_k(0.5) | drop=gone | at=inside_attention:1",
    "score=received_attention | select=mass(0.7) | drop=fuse | at=after_block:0/2",
    "score=cls_attention | select=top_k(0.7) | drop=gone | at=inside_attention:1, "
    "after_attention:1, before:2, after_block:2",
};

}  // namespace

TEST_CASE("every layout equals the plain network", "[engine][vit]") {
  VitConfig config = tiny();
  SECTION("plain ViT") {}
  SECTION("distilled") { config.distilled = true; }
  SECTION("LayerScale") { config.layer_scale = true; }
  SECTION("registers without positions") {
    config.num_register_tokens = 4;
    config.prefix_positions = false;
  }
  SECTION("registers with positions") { config.num_register_tokens = 2; }
  SECTION("mean pooling") {
    config.pooling = Pooling::mean;
    config.final_norm = false;
    config.fc_norm = true;
  }
  SECTION("mean pooling without a class token") {
    config.pooling = Pooling::mean;
    config.class_token = config.prefix_positions = false;
  }
  SECTION("norm before the blocks, no qkv bias") {
    config.pre_norm = true;
    config.qkv_bias = false;
  }
  SECTION("features without a head") { config.num_classes = 0; }
  SECTION("heads and widths that differ by block, and halves that are gone") {
    config.num_heads = {3, 1, 0, 2};
    config.mlp_dim = {96, 0, 40, 8};
  }
  SECTION("heads that are not whole vectors") { config.head_dim = 12; }
  SECTION("LV-ViT") { config = tiny_lvvit(); }
  SECTION("a stem of whole vectors and of one channel") {
    config.stem_channels = GENERATE(1, 16, 32);
  }
  SECTION("LayerScale and skip_lam in one") {
    config.layer_scale = true;
    config.skip_lam = 3.0f;
  }
  SECTION("a second head on tokens that have no norm") {
    config.aux_head = true;
    config.final_norm = false;
  }
  Model model(config);
  const Pictures pictures = same_size(2);
  const auto outputs = model.run(pictures.views());
  for (size_t i = 0; i < 2; ++i) check_close(outputs[i].logits, model.plain(pictures.views()[i]));
}

TEST_CASE("every site and selector equals the plain network, image by image", "[engine][vit]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  Model model(GENERATE(tiny(), tiny_lvvit()));
  Pictures pictures = same_size(3);
  pictures.add(40, 72, 7);
  const auto outputs = model.run(pictures.views(), recipe);
  for (size_t i = 0; i < outputs.size(); ++i) {
    check_close(outputs[i].logits, model.plain(pictures.views()[i], recipe));
  }
}

TEST_CASE("an image gets in a batch what it gets alone, in any order", "[engine][vit]") {
  const std::string recipe =
      GENERATE("evit(threshold=0.02, sites=0/2)", "evit(mass=0.8, sites=1)",
               "random(keep=0.6, sites=1/2)", "evit(keep=0.5, fuse, sites=1)");
  CAPTURE(recipe);
  Model model(tiny());
  Pictures pictures = same_size(5);
  pictures.add(64, 32, 9);
  check_batch_equals_alone(model, pictures, recipe);
}

TEST_CASE("keep = 1 is dense bit for bit", "[engine][vit]") {
  Model model(tiny());
  const Pictures pictures = same_size(3);
  const auto dense = model.run(pictures.views());
  for (const char* recipe :
       {"evit(keep=1, fuse, sites=0/1)", "evit(mass=1, sites=0/1)", "random(keep=1, sites=2)"}) {
    const auto sieved = model.run(pictures.views(), recipe);
    for (size_t i = 0; i < 3; ++i) {
      CHECK(sieved[i].logits == dense[i].logits);
      CHECK(sieved[i].macs.total() == dense[i].macs.total());
      CHECK(sieved[i].trace.kept_indices().size() == 49);
    }
  }
}

TEST_CASE("threads do not change a bit of the decision", "[engine][vit]") {
  Model model(tiny());
  const Pictures pictures = same_size(4);
  const auto one = model.run(pictures.views(), "evit(mass=0.7, sites=0/1/2)", 1);
  const auto two = model.run(pictures.views(), "evit(mass=0.7, sites=0/1/2)", 2);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(one[i].trace.kept_indices() == two[i].trace.kept_indices());
    check_close(one[i].logits, two[i].logits, 1e-5f);
  }
}

TEST_CASE("the MACs counted equal the MACs executed", "[engine][vit][macs]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  const bool lvvit = GENERATE(false, true);
  VitConfig config = lvvit ? tiny_lvvit() : tiny();
  config.distilled = !lvvit;
  Model model(config);
  Pictures pictures = same_size(2);
  pictures.add(32, 80, 3);
  int64_t counted = 0;
  for (const RunOutput& output : model.run(pictures.views(), recipe))
    counted += output.macs.total();
  CHECK(counted == model.workspace.executed_macs());
}

TEST_CASE("masked heads see their neighbourhood, whatever has left", "[engine][vit][masks]") {
  VitConfig config = tiny();
  config.masks.heads = {{0, 1, 2}, {1}, {0, 2}, {}};
  config.masks.rows = config.masks.columns = GENERATE(0, 1);
  config.masks.kind = GENERATE(AttentionMasks::Kind::multiplicative, AttentionMasks::Kind::hard);
  Model model(config);
  Pictures pictures = same_size(3);
  pictures.add(64, 32, 9);
  const std::string recipe =
      GENERATE("dense", "evit(keep=0.6, sites=1/2)", "evit(keep=0.6, fuse, sites=1)",
               "score=received_attention | select=top_k(0.5) | drop=gone | at=before:1/2",
               "score=cls_attention | select=threshold(0.02) | drop=gone | at=inside_attention:1");
  const auto outputs = model.run(pictures.views(), recipe);
  int64_t counted = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    check_close(outputs[i].logits, model.plain(pictures.views()[i], recipe));
    counted += outputs[i].macs.total();
  }
  CHECK(counted == model.workspace.executed_macs());
  check_batch_equals_alone(model, pictures, recipe);
  if (recipe == "dense") {
    CHECK(outputs[0].macs.total() == count_dense_macs(config).total());
    const auto plain = Model(tiny()).run(pictures.views());
    CHECK(outputs[0].logits != plain[0].logits);
    VitConfig all = config;
    all.masks.rows = all.masks.columns = 7;  // a neighbourhood of everything
    CHECK(Model(all).run(pictures.views())[0].logits == plain[0].logits);
  }
}

TEST_CASE("a site inside masked attention cannot score by what it would give",
          "[engine][vit][masks][errors]") {
  VitConfig config = tiny();
  config.masks.heads.assign(4, {0});
  Model model(config);
  CHECK_THROWS_WITH(
      model.run(same_size(1).views(),
                "score=received_attention | select=top_k(0.5) | drop=gone | at=inside_attention:1"),
      Catch::Contains("score by the class token"));
}

TEST_CASE("a pixel that is no number gives no answer, with a stem, too", "[engine][vit][stem]") {
  Model model(GENERATE(true, false) ? tiny() : tiny_lvvit());
  Pictures pictures = same_size(2);
  pictures.pixels[0][777] =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const auto outputs = model.run(pictures.views());
  for (const float logit : outputs[0].logits) CHECK(std::isnan(logit));
  for (const float logit : outputs[1].logits) CHECK(std::isfinite(logit));
}

TEST_CASE("a convolution stem takes every image size", "[engine][vit][stem]") {
  Model model(tiny_lvvit());
  Pictures pictures;
  for (const auto& [height, width] : {std::pair{8, 8}, {8, 64}, {16, 24}, {96, 40}, {128, 128}}) {
    pictures.add(height, width, 11);
  }
  const auto outputs = model.run(pictures.views());
  for (size_t i = 0; i < outputs.size(); ++i) {
    INFO(pictures.sizes[i].first << " x " << pictures.sizes[i].second);
    check_close(outputs[i].logits, model.plain(pictures.views()[i]));
  }
}

TEST_CASE("a NaN of one token reaches the logits through the second head", "[engine][vit]") {
  VitConfig config = tiny();
  config.aux_head = true;
  config.num_heads.assign(4, 0);  // attention would spread it to the class token
  Model model(config);
  Pictures pictures = same_size(1);
  pictures.pixels[0].front() = std::nanf("");
  const auto output = model.run(pictures.views())[0];
  for (const float logit : output.logits) CHECK(std::isnan(logit));
}

TEST_CASE("a warm workspace does not grow", "[engine][vit]") {
  Model model(GENERATE(tiny(), tiny_lvvit()));
  const Pictures pictures = same_size(4);
  model.run(pictures.views(), "evit(keep=0.5, fuse, sites=1/2)");
  const size_t bytes = model.workspace.bytes();
  for (const char* recipe :
       {"dense", "evit(keep=0.5, fuse, sites=1/2)", "evit(mass=0.9, sites=0/3)"}) {
    for (int i = 0; i < 3; ++i) model.run(pictures.views(), recipe);
  }
  CHECK(model.workspace.bytes() == bytes);
}

TEST_CASE("one model serves many threads", "[engine][vit]") {
  Model model(tiny());
  const Pictures pictures = same_size(4);
  const auto views = pictures.views();
  const Schedule schedule = Recipe::parse("evit(mass=0.8, sites=1/2)").compile(4);
  const auto expected = model.vit.run(views, schedule, model.workspace, 1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Workspace workspace;
      for (int round = 0; round < 10; ++round) {
        const auto outputs = model.vit.run(views, schedule, workspace, 1);
        for (size_t i = 0; i < views.size(); ++i)
          wrong[t] += outputs[i].logits != expected[i].logits;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("an image of NaN gives an answer and keeps the class token", "[engine][vit]") {
  Model model(tiny());
  const std::vector<float> pixels(3 * 56 * 56, std::nanf(""));
  const PixelsView view{pixels.data(), 56, 56};
  const auto output = model.run(std::span(&view, 1), "evit(keep=0.5, fuse, sites=0/1)")[0];
  CHECK(output.logits.size() == 11);
  CHECK(output.layers.back().mlp > 1);
}

TEST_CASE("a call that cannot run says why", "[engine][vit][errors]") {
  Model model(tiny());
  const Pictures pictures = same_size(1);
  auto view = pictures.views();
  CHECK(model.run({}).empty());
  CHECK_THROWS_WITH(model.run(view, "dense", -1), Catch::Contains("threads"));
  CHECK_THROWS_WITH(model.run(view, "dense", 1025), Catch::Contains("threads"));
  CHECK_THROWS_WITH(model.run(view, "pabee"), Catch::Contains("no classifiers after its blocks"));
  view[0].height = 55;
  CHECK_THROWS_WITH(model.run(view), Catch::Contains("multiples of the patch size 8"));
  view[0].height = 0;
  CHECK_THROWS_WITH(model.run(view), Catch::Contains("multiples"));
  view[0] = {nullptr, 56, 56};
  CHECK_THROWS_WITH(model.run(view), Catch::Contains("no pixels"));
  view[0] = {pictures.pixels[0].data(), 8 << 10, 8 << 10};
  CHECK_THROWS_WITH(model.run(view), Catch::Contains("patches, more than"));
  view = pictures.views();
  CHECK_THROWS_WITH(
      model.run(view, "score=cls_attention | select=top_k(0.5) | drop=gone | at=before:0"),
      Catch::Contains("no") && Catch::Contains("before it"));
  const auto fusing =
      triple_reducer(class_attention_scorer(), top_k_selector({0.5}), fuse_policy());
  const Schedule inside({{{1, SitePosition::inside_attention}, 0, fusing}}, 4);
  CHECK_THROWS_WITH(model.vit.run(view, inside, model.workspace), Catch::Contains("cannot merge"));
  const Schedule deeper = Recipe::parse("evit(keep=0.5, sites=9)").compile(12);
  CHECK_THROWS_WITH(model.vit.run(view, deeper, model.workspace),
                    Catch::Contains("after the last"));
  struct Norms final : Reducer {
    AttentionRequest attention_request() const override { return AttentionRequest::output_norm; }
    bool keeps_everything(int) const override { return false; }
    Reduction reduce(const SiteInput& input) const override {
      return {TokenPlan::identity(input.layout), {}};
    }
  };
  const auto norms = std::make_shared<Norms>();
  const auto top = triple_reducer(class_attention_scorer(), top_k_selector({0.5}), gone_policy());
  const Schedule both({{{1, SitePosition::inside_attention}, 0, top},
                       {{1, SitePosition::after_attention}, 1, norms}},
                      4);
  CHECK_THROWS_WITH(model.vit.run(view, both, model.workspace),
                    Catch::Contains("norms of attention"));
  VitConfig config = tiny();
  config.num_heads[1] = 0;
  Model gap(config);
  CHECK_THROWS_WITH(
      gap.run(view, "score=random | select=top_k(0.5) | drop=gone | at=inside_attention:1"),
      Catch::Contains("there is none"));
  config = tiny();
  config.class_token = config.prefix_positions = false;
  config.pooling = Pooling::mean;
  Model headless(config);
  CHECK_THROWS_WITH(headless.run(view, "evit(sites=1)"), Catch::Contains("no class token"));
}

TEST_CASE("a method that leaves nothing after the prefix is refused", "[engine][vit][errors]") {
  class KeepsNone final : public Reducer {
    AttentionRequest attention_request() const override { return AttentionRequest::none; }
    bool keeps_everything(int) const override { return false; }
    Reduction reduce(const SiteInput& input) const override {
      Reduction reduction;
      for (int64_t b = 0; b < input.layout.batch(); ++b) {
        reduction.plan.begin_sample(input.layout.count(b));
        reduction.plan.keep(0);
      }
      return reduction;
    }
  };
  Model model(tiny());
  Pictures pictures;
  pictures.add(56, 56, 5);
  const Schedule schedule({{{1, SitePosition::before_block}, 0, std::make_shared<KeepsNone>()}}, 4);
  CHECK_THROWS_WITH(model.vit.run(pictures.views(), schedule, model.workspace, 1),
                    Catch::Contains("after the prefix of sample 0 to stay at before:1"));
}

TEST_CASE("a run on one thread and a later one on two agree", "[engine][vit]") {
  Model model(tiny());
  const Pictures pictures = same_size(2);
  const auto one = model.run(pictures.views(), "dense", 1);
  const auto two = model.run(pictures.views(), "dense", 2);
  check_close(one[0].logits, two[0].logits, 1e-5f);
}

TEST_CASE("batches of more than 256 rows are served in buckets of rows", "[engine][vit]") {
  Model model(tiny());
  const Pictures pictures = same_size(7);
  const auto together = model.run(pictures.views(), "evit(mass=0.9, fuse, sites=1/2)");
  for (size_t i = 0; i < 7; ++i) {
    const auto view = pictures.views()[i];
    const auto alone = model.run(std::span(&view, 1), "evit(mass=0.9, fuse, sites=1/2)")[0];
    CHECK(alone.layers == together[i].layers);
    check_close(alone.logits, together[i].logits, 1e-5f);
  }
}

TEST_CASE("both heads of a distilled network take more images than a bucket starts at",
          "[engine][vit]") {
  VitConfig config = tiny();
  config.distilled = true;
  config.image_height = config.image_width = 16;
  Model model(config);
  const auto pixels = random_values(3 * 16 * 16, 4, 1.5f);
  const std::vector<PixelsView> views(257, PixelsView{pixels.data(), 16, 16});
  const auto outputs = model.run(views);
  const auto alone = model.run(std::span(views.data(), 1));
  check_close(outputs.front().logits, alone[0].logits, 1e-5f);
  check_close(outputs.back().logits, alone[0].logits, 1e-5f);
}

TEST_CASE("weights that do not fit the config are refused", "[engine][vit][errors]") {
  const VitConfig config = tiny();
  const RandomWeights weights(config, 1);
  VitConfig other = config;
  other.mlp_dim[2] = 95;
  CHECK_THROWS_WITH(Vit(other, weights.source()), Catch::Contains("blocks.2.mlp.fc1"));
  other = tiny_lvvit();
  CHECK_THROWS_WITH(Vit(other, weights.source()), Catch::Contains("patch_embed.conv1.weight"));
  other = config;
  other.embed_dim = 0;
  CHECK_THROWS_AS(Vit(other, weights.source()), std::invalid_argument);
}
