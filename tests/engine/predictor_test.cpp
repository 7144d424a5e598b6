#include "predictor.h"

#include <numeric>
#include <thread>

#include "tokensieve/core/macs.h"
#include "tokensieve/engine/classifier.h"
#include "vit_fixture.h"
#include "workspace.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

const char* const kRecipes[] = {
    "dynamicvit(keep=0.7, sites=1/2/3)",
    "dynamicvit(keep=0.9/0.5/0.8, sites=0/1/3)",
    "dynamicvit(threshold=0.5, sites=1/2/3)",
    "dynamicvit(threshold=0.9/0.1/0.5, sites=0/1/2)",
    "score=predictor | select=mass(0.8) | drop=fuse | at=before:1, after_attention:2, "
    "after_block:3",
    "score=predictor | select=top_k(0.6) | drop=gone | at=inside_attention:0/2, before:3",
};

/// States of samples of these counts of rows, and what the predictors of three sites make of them.
struct States {
  explicit States(std::vector<int64_t> counts)
      : layout(RaggedLayout::from_counts(counts)),
        values(random_values(layout.rows() * dim, 5, 2.0f)) {}

  std::vector<float> ask(TokenPredictor& predictor, int site = 1) {
    std::vector<float> log_keep(static_cast<size_t>(layout.rows()), 7.0f);
    predictor.predict({.layout = layout,
                       .state = {values.data(), layout.rows(), dim},
                       .columns = columns,
                       .attention = {},
                       .input_counts = {},
                       .sample_keys = {},
                       .num_prefix_tokens = prefix,
                       .site = {},
                       .site_index = site},
                      log_keep);
    for (int64_t b = 0; b < layout.batch(); ++b) {  // means nothing there
      std::fill_n(log_keep.begin() + layout.offset(b), prefix, 0.0f);
    }
    return log_keep;
  }

  std::vector<float> fast(int site = 1) {
    PredictorRun run(weights, workspace.buffers());
    return ask(run, site);
  }
  std::vector<float> plain(int site = 1) {
    PlainPredictor predictor(source.source());
    return ask(predictor, site);
  }

  static constexpr int64_t dim = 48;
  RaggedLayout layout;
  std::vector<float> values;
  RowColumns columns;
  int prefix = 2;
  RandomPredictors source{dim, 3, 9};
  LinearCache cache{64};
  std::vector<Predictor> weights = [this] {
    std::vector<Predictor> made;
    for (int site = 0; site < 3; ++site) made.emplace_back(source.source(), site, dim, cache);
    return made;
  }();
  Workspace workspace;
};

int64_t predictor_macs(const VitConfig& config, const RunOutput& output) {
  int64_t macs = 0, rows = output.trace.num_tokens;
  for (const SiteTrace& site : output.trace.sites) {
    macs += count_predictor_macs(config, rows);
    rows = site.rows - config.num_prefix_tokens();
  }
  return macs;
}

}  // namespace

TEST_CASE("the packed predictor says what the plain one says", "[engine][predictor]") {
  const auto counts = GENERATE(std::vector<int64_t>{50}, std::vector<int64_t>{3, 50, 17},
                               std::vector<int64_t>{2, 9}, std::vector<int64_t>{200, 131, 3, 77});
  States states(counts);
  states.prefix = GENERATE(0, 1, 2);
  for (int site = 0; site < 3; ++site) {
    const std::vector<float> fast = states.fast(site), plain = states.plain(site);
    for (size_t i = 0; i < fast.size(); ++i) {
      INFO("row " << i << ": " << fast[i] << " against " << plain[i]);
      REQUIRE(std::fabs(fast[i] - plain[i]) <= 1e-4f * (1.0f + std::fabs(plain[i])));
    }
  }
}

TEST_CASE("a score depends on the patches of its own image and on nothing else",
          "[engine][predictor]") {
  States states({20, 20, 30});
  const std::vector<float> before = states.fast();
  const auto changed_rows = [&](int64_t row) {
    States other({20, 20, 30});
    for (int64_t c = 0; c < States::dim; ++c) other.values[row * States::dim + c] += 0.1f * c;
    const std::vector<float> after = other.fast();
    std::vector<bool> samples(3);
    for (int64_t b = 0; b < 3; ++b) {
      for (int64_t i = states.layout.offset(b); i < states.layout.offset(b + 1); ++i) {
        samples[b] = samples[b] || (i != row && after[i] != before[i]);
      }
    }
    return samples;
  };
  CHECK(changed_rows(25) == std::vector<bool>{false, true, false});   // through the mean
  CHECK(changed_rows(20) == std::vector<bool>{false, false, false});  // a prefix row
}

TEST_CASE("scores close to certainty keep their digits", "[engine][predictor]") {
  States states({102});
  states.weights[1].margin_bias = 30.0f;
  std::vector<float> scores = states.fast();
  scores.erase(scores.begin(), scores.begin() + 2);
  CHECK(*std::max_element(scores.begin(), scores.end()) < 0.0f);
  std::sort(scores.begin(), scores.end());
  CHECK(std::unique(scores.begin(), scores.end()) == scores.end());  // as probabilities all are 1
}

TEST_CASE("DynamicViT equals the plain network, image by image", "[engine][predictor][vit]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  VitConfig config = tiny();
  SECTION("a class token") {}
  SECTION("a distillation token") { config.distilled = true; }
  SECTION("registers") { config.num_register_tokens = 3; }
  SECTION("no prefix") {
    config.pooling = Pooling::mean;
    config.class_token = config.prefix_positions = false;
  }
  Model model(config, 3);
  Pictures pictures = same_size(3);
  pictures.add(40, 72, 7);
  const auto outputs = model.run(pictures.views(), recipe);
  for (size_t i = 0; i < outputs.size(); ++i) {
    check_close(outputs[i].logits, model.plain(pictures.views()[i], recipe));
  }
}

TEST_CASE("DynamicViT gives an image in a batch what it gets alone, on any number of threads",
          "[engine][predictor][vit]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  Model model(tiny(), 3);
  Pictures pictures = same_size(7);  // more rows than the first bucket
  pictures.add(64, 32, 9);
  check_batch_equals_alone(model, pictures, recipe);
}

TEST_CASE("a threshold keeps another count for each image", "[engine][predictor][vit]") {
  Model model(tiny(), 3);
  const Pictures pictures = same_size(6);
  std::vector<size_t> counts;
  for (const RunOutput& output : model.run(pictures.views(), kRecipes[2])) {
    counts.push_back(output.trace.kept_indices().size());
  }
  CHECK(*std::min_element(counts.begin(), counts.end()) <
        *std::max_element(counts.begin(), counts.end()));
}

TEST_CASE("the trace holds keep probabilities, ranked by which tokens stay",
          "[engine][predictor][vit]") {
  Model model(tiny(), 3);
  const Pictures pictures = same_size(1);
  const RunOutput output = model.run(pictures.views(), "dynamicvit(keep=0.7, sites=1/2/3)")[0];
  CHECK(output.trace.kept_indices(0).size() == 34);  // floor(49 * 0.7)
  CHECK(output.trace.kept_indices(1).size() == 24);
  CHECK(output.trace.kept_indices(2).size() == 16);
  for (const SiteTrace& site : output.trace.sites) {
    CHECK(site.score_name == "keep probability");
    float worst_kept = 1.0f, best_dropped = 0.0f;
    for (size_t i = 0; i < site.score.size(); ++i) {
      if (std::isnan(site.score[i])) continue;  // left before
      CHECK(site.score[i] >= 0.0f);
      CHECK(site.score[i] <= 1.0f);
      if (site.fate[i] == Fate::kept) worst_kept = std::min(worst_kept, site.score[i]);
      if (site.fate[i] == Fate::dropped) best_dropped = std::max(best_dropped, site.score[i]);
    }
    CHECK(worst_kept >= best_dropped);
  }
}

TEST_CASE("DynamicViT's MACs counted equal the MACs executed", "[engine][predictor][macs]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  Model model(tiny(), 3);
  Pictures pictures = same_size(2);
  pictures.add(32, 80, 3);
  int64_t counted = 0;
  for (const RunOutput& output : model.run(pictures.views(), recipe)) {
    counted += output.macs.total();
    CHECK(output.macs.predictors == predictor_macs(model.config, output));
  }
  CHECK(counted == model.workspace.executed_macs());
}

TEST_CASE("keep = 1 leaves the predictors out and is dense bit for bit",
          "[engine][predictor][vit]") {
  Model model(tiny(), 3);
  const Pictures pictures = same_size(3);
  const auto dense = model.run(pictures.views());
  const auto sieved = model.run(pictures.views(), "dynamicvit(keep=1, sites=1/2/3)");
  for (size_t i = 0; i < 3; ++i) {
    CHECK(sieved[i].logits == dense[i].logits);
    CHECK(sieved[i].macs.predictors == 0);
    CHECK(sieved[i].macs.total() == dense[i].macs.total());
  }
  Model without(tiny());
  CHECK(without.run(pictures.views(), "dynamicvit(keep=1, sites=1/2/3)")[0].logits ==
        dense[0].logits);
  // A site that keeps everything costs nothing, and the next one asks its own predictor.
  const auto late = model.run(pictures.views(), "dynamicvit(keep=1/0.5/1, sites=1/2/3)")[0];
  CHECK(late.trace.sites.size() == 2);  // 0.5 of the input stays at the third site too
  check_close(late.logits,
              model.plain(pictures.views()[0], "dynamicvit(keep=1/0.5/1, sites=1/2/3)"));
}

TEST_CASE("predictors of NaN never drop the class token", "[engine][predictor][vit]") {
  const std::string recipe = GENERATE(from_range(std::begin(kRecipes), std::end(kRecipes)));
  CAPTURE(recipe);
  const VitConfig config = tiny();
  const RandomWeights weights(config, 1);
  MemoryWeights broken;
  const RandomPredictors predictors(config.embed_dim, 3, 2);
  for (const std::string& name : predictors.source().names()) {
    const auto shape = predictors.source().shape(name);
    auto values = predictors.source().read(name, shape);
    std::fill(values.begin(), values.end(), std::nanf(""));
    broken.set(name, shape, values);
  }
  const Vit vit(config, weights.source(), &broken);
  const Pictures pictures = same_size(2);
  Workspace workspace;
  for (const RunOutput& output :
       vit.run(pictures.views(), Recipe::parse(recipe).compile(4), workspace)) {
    CHECK(std::isfinite(output.logits[0]));
    CHECK(output.layers.back().mlp > 1);
    for (const SiteTrace& site : output.trace.sites) {
      for (const int32_t row : site.row) CHECK(row != 0);  // the class token's own
    }
  }
}

TEST_CASE("one model with predictors serves many threads", "[engine][predictor][vit]") {
  Model model(tiny(), 3);
  const Pictures pictures = same_size(4);
  const auto views = pictures.views();
  const Schedule schedule = Recipe::parse(kRecipes[2]).compile(4);
  const auto expected = model.vit.run(views, schedule, model.workspace, 1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Workspace workspace;
      for (int round = 0; round < 10; ++round) {
        const auto outputs = model.vit.run(views, schedule, workspace, 1);
        for (size_t i = 0; i < views.size(); ++i) {
          wrong[t] += outputs[i].logits != expected[i].logits;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a warm workspace with predictors does not grow", "[engine][predictor][vit]") {
  Model model(tiny(), 3);
  const Pictures pictures = same_size(4);
  for (const char* recipe : kRecipes) model.run(pictures.views(), recipe);
  const size_t bytes = model.workspace.bytes();
  for (const char* recipe : kRecipes) model.run(pictures.views(), recipe);
  CHECK(model.workspace.bytes() == bytes);
}

TEST_CASE("learned scores without the predictors for them are refused with the cure",
          "[engine][predictor][errors]") {
  const Pictures pictures = same_size(1);
  Model without(tiny()), with(tiny(), 3);
  CHECK(without.vit.num_predictors() == 0);
  CHECK(with.vit.num_predictors() == 3);
  CHECK_THROWS_WITH(without.run(pictures.views(), kRecipes[0]),
                    Catch::Contains("no predictors; train or convert"));
  CHECK_THROWS_AS(without.vit.check(Recipe::parse(kRecipes[0]).compile(4)), std::invalid_argument);
  CHECK_NOTHROW(with.vit.check(Recipe::parse(kRecipes[0]).compile(4)));
  CHECK_THROWS_WITH(with.run(pictures.views(), "dynamicvit(keep=0.7, sites=1/2)"),
                    Catch::Contains("predictors for 3 sites and the recipe has 2 sites"));
  CHECK_THROWS_WITH(with.run(pictures.views(), "dynamicvit(threshold=0.5, sites=0/1/2/3)"),
                    Catch::Contains("recipe has 4 sites"));
}

TEST_CASE("predictors that do not fit the network are refused by it",
          "[engine][predictor][errors]") {
  const VitConfig config = tiny();
  const RandomWeights weights(config, 1);
  const RandomPredictors wide(64, 3, 2), many(48, 5, 2);
  CHECK_THROWS_WITH(Vit(config, weights.source(), &wide.source()),
                    Catch::Contains("of shape [48], got [64]"));
  CHECK_THROWS_WITH(Vit(config, weights.source(), &many.source()),
                    Catch::Contains("4 blocks at most"));
}

TEST_CASE("a classifier runs its folder's predictors", "[engine][predictor][classifier]") {
  ModelFolder folder;
  folder.vit = tiny();
  folder.preprocessing.height = folder.preprocessing.width = 56;
  folder.weights = std::make_shared<MemoryWeights>(RandomWeights(folder.vit, 1).source());
  folder.recipe = "dynamicvit(keep=0.5, sites=1/2/3)";
  CHECK_THROWS_WITH(Classifier(folder), Catch::Contains("no predictors"));
  folder.sieve = std::make_shared<MemoryWeights>(RandomPredictors(48, 3, 2).source());
  const Classifier classifier(folder);
  const Pictures pictures = same_size(1);
  const auto result = classifier.classify(pictures.views())[0];
  CHECK(result.output.trace.kept_indices().size() == 6);  // floor(49 / 8)
}
