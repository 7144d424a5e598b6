#include "tokensieve/engine/bert.h"

#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

#include "bert_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

const std::vector<int> kLengths = {17, 1, 40, 2, 9, 33};

/// One recipe for each position of a site, for each kind of row, and for LTP.
const std::vector<std::string> kRecipes = {
    "dense",
    "score=received_attention | select=top_k(0.6) | drop=gone | at=before:1/2/3",
    "score=cls_attention | select=top_k(0.6) | drop=gone | at=inside_attention:0/2",
    "evit(keep=0.6, fuse, sites=0/2)",
    "score=cls_attention | select=mass(0.7) | drop=gone | at=after_block:0, before:3",
    "tome(r=3)",
    "ats(keep=0.7, sites=1..)",
    "ltp(threshold=0.05)",
    "ltp(threshold=0.02/0.03/0.04, n_ref=32, sites=1..3)",
    "top(bins=11100/10100, sites=0/2)",
    "score=received_attention(n_ref=32) | select=threshold(0.03) | drop=gone | "
    "at=after_attention:1, before:2",
};

void check_against_plain(const BertConfig& config, const std::string& recipe) {
  CAPTURE(config.name, recipe);
  TextModel model(config);
  const Texts texts(kLengths);
  const auto views = texts.views();
  const auto outputs = model.run(views, recipe);
  PlainBert plain(model.config, model.weights.source(), &model.sieve.source());
  const Schedule schedule = Recipe::parse(recipe).compile(config.depth());
  int64_t macs = 0;
  for (size_t i = 0; i < views.size(); ++i) {
    CAPTURE(i);
    check_close(outputs[i].logits, plain(views[i], schedule));
    CHECK(outputs[i].trace.exit_layer == plain.exit_layer);
    macs += outputs[i].macs.total();
  }
  CHECK(model.workspace.executed_macs() == macs);
}

}  // namespace

TEST_CASE("a BERT is what its formulas say, at every kind of site", "[engine][bert]") {
  check_against_plain(tiny_bert(), GENERATE(from_range(kRecipes)));
}

TEST_CASE("DistilBERT and RoBERTa are what their formulas say", "[engine][bert]") {
  const std::string name = GENERATE(as<std::string>{}, "distilbert", "roberta");
  check_against_plain(tiny_bert(name), GENERATE(as<std::string>{}, "dense", "ltp(threshold=0.05)"));
}

TEST_CASE("a dropped token gives its last live state to heads of tokens", "[engine][bert]") {
  const TextHead head = GENERATE(TextHead::tokens, TextHead::question_answering);
  check_against_plain(tiny_bert("bert", head), GENERATE(from_range(kRecipes)));
}

TEST_CASE("a mean embedding holds every token, dropped ones in their last state",
          "[engine][bert]") {
  BertConfig config = tiny_bert("bert", TextHead::embedding);
  config.pooling = GENERATE(TextPooling::mean, TextPooling::class_token);
  config.normalize = GENERATE(true, false);
  check_against_plain(config,
                      GENERATE(as<std::string>{}, "dense", "ltp(threshold=0.05)", "tome(r=3)"));
}

TEST_CASE("a pooler carried along for training is not read by an embedding", "[engine][bert]") {
  BertConfig config = tiny_bert("bert", TextHead::embedding);
  config.pooler = PoolerActivation::tanh;
  check_against_plain(config, "dense");
}

TEST_CASE("a text exits with the logits of its block while the batch goes on", "[engine][bert]") {
  BertConfig config = tiny_bert();
  config.exits = true;
  const std::string recipe = GENERATE(
      as<std::string>{}, "exit=entropy(0.9)", "exit=confidence(0.5)", "pabee(patience=1)",
      "magic_pyramid(threshold=0.05, entropy=0.9)", "magic_pyramid(threshold=0.05, patience=1)",
      "score=cls_attention | select=top_k(0.6) | drop=gone | at=before:1/2/3 | exit=entropy(0.9)",
      "tome(r=2)", "exit=entropy(100)");
  check_against_plain(config, recipe);

  TextModel model(config);
  const Texts texts(kLengths);
  const auto outputs = model.run(texts.views(), recipe);
  for (const RunOutput& output : outputs) {
    const int exit = output.trace.exit_layer;
    for (int l = 0; l < config.depth(); ++l) {
      CHECK((output.layers[l].mlp > 0) == (exit < 0 || l <= exit));
    }
  }
}

TEST_CASE("texts of one batch exit after different blocks", "[engine][bert]") {
  BertConfig config = tiny_bert();
  config.exits = true;
  TextModel model(config);
  const Texts texts(kLengths);
  size_t most = 0;
  for (double limit = 0.2; limit < 1.6; limit += 0.1) {
    const Recipe exiting = Recipe::parse("magic_pyramid(threshold=0.05)").with("entropy", limit);
    std::set<int> exits;
    for (const RunOutput& output : model.run(texts.views(), exiting.str())) {
      exits.insert(output.trace.exit_layer);
    }
    if (exits.size() > 1) check_against_plain(config, exiting.str());
    most = std::max(most, exits.size());
  }
  CHECK(most > 1);
}

TEST_CASE("an exit that never fires is the dense network, bit for bit", "[engine][bert]") {
  BertConfig config = tiny_bert();
  config.exits = true;
  TextModel model(config);
  const Texts texts(kLengths);
  const auto dense = model.run(texts.views());
  for (const char* recipe : {"exit=entropy(0)", "exit=patience(0)", "exit=confidence(1)"}) {
    const auto outputs = model.run(texts.views(), recipe);
    for (size_t i = 0; i < dense.size(); ++i) {
      CHECK(outputs[i].logits == dense[i].logits);
      CHECK(outputs[i].macs.total() == dense[i].macs.total());
    }
  }
  // Patience cannot run out in so few blocks: the answer is the last classifier's, at the price of
  // the others.
  const auto outputs = model.run(texts.views(), "pabee(patience=3)");
  for (size_t i = 0; i < dense.size(); ++i) {
    CHECK(outputs[i].logits == dense[i].logits);
    const int64_t classifier = 48 * 48 + 48 * 5;
    CHECK(outputs[i].macs.head == 4 * classifier);
  }
}

TEST_CASE("thresholds of 0 are the dense network, and of 1 leave one token", "[engine][bert]") {
  TextModel model(tiny_bert());
  const Texts texts(kLengths);
  const auto dense = model.run(texts.views());
  const auto none = model.run(texts.views(), "ltp(threshold=0)");
  const auto all = model.run(texts.views(), "ltp(threshold=1/1/1, sites=1..3)");
  for (size_t i = 0; i < dense.size(); ++i) {
    CHECK(none[i].logits == dense[i].logits);
    CHECK(all[i].layers[0].mlp == kLengths[i]);
    CHECK(all[i].layers[1].attention == kLengths[i]);
    CHECK(all[i].layers[1].mlp == std::min(kLengths[i], 2));
    for (const float logit : all[i].logits) CHECK(std::isfinite(logit));
  }
}

TEST_CASE("a batch of texts gives each what it gets alone", "[engine][bert]") {
  const std::string recipe = GENERATE(from_range(kRecipes));
  const TextHead head = GENERATE(TextHead::classification, TextHead::tokens);
  TextModel model(tiny_bert("bert", head));
  const Texts texts({17, 40, 2, 9, 33, 33, 5});
  auto views = texts.views();
  const auto together = model.run(views, recipe);
  std::reverse(views.begin(), views.end());
  const auto reversed = model.run(views, recipe, 1);
  for (size_t i = 0; i < views.size(); ++i) {
    const auto alone = model.run(std::span(&views[i], 1), recipe)[0];
    const RunOutput& first = together[views.size() - 1 - i];
    CHECK(alone.trace.kept_indices() == first.trace.kept_indices());
    CHECK(alone.layers == first.layers);
    CHECK(alone.macs.total() == first.macs.total());
    check_close(alone.logits, first.logits, 1e-5f);
    check_close(alone.logits, reversed[i].logits, 1e-5f);
  }
}

TEST_CASE("kept tokens are nested and the class token has its row", "[engine][bert]") {
  TextModel model(tiny_bert());
  const Texts texts(kLengths);
  for (const RunOutput& output : model.run(texts.views(), "ltp(threshold=0.08)")) {
    for (int s = 1; s < std::ssize(output.trace.sites); ++s) {
      const auto now = output.trace.kept_indices(s), before = output.trace.kept_indices(s - 1);
      CHECK(std::ranges::includes(before, now));
    }
    for (const LayerTokens& layer : output.layers) CHECK(layer.mlp >= 1);
  }
}

TEST_CASE("types default to 0, and a network without them does not look", "[engine][bert]") {
  const Texts texts({12});
  TextModel bert(tiny_bert()), distilled(tiny_bert("distilbert"));
  std::vector<int32_t> zeros(12, 0);
  const TokensView plain{texts.ids[0], {}}, zero{texts.ids[0], zeros}, typed = texts.views()[0];
  CHECK(bert.run(std::span(&plain, 1))[0].logits == bert.run(std::span(&zero, 1))[0].logits);
  CHECK(bert.run(std::span(&plain, 1))[0].logits != bert.run(std::span(&typed, 1))[0].logits);
  CHECK(distilled.run(std::span(&plain, 1))[0].logits ==
        distilled.run(std::span(&typed, 1))[0].logits);
}

TEST_CASE("blocks may have lost heads, neurons or whole halves", "[engine][bert]") {
  BertConfig config = tiny_bert();
  config.num_heads = {2, 0, 3, 1};
  config.mlp_dim = {96, 40, 0, 7};
  check_against_plain(config, "dense");
  check_against_plain(config, "evit(keep=0.6, sites=0/2)");
}

TEST_CASE("a warm workspace of texts does not grow", "[engine][bert]") {
  TextModel model(tiny_bert("bert", TextHead::tokens));
  const Texts texts(kLengths);
  model.run(texts.views(), "evit(keep=0.5, fuse, sites=1/2)");
  const size_t bytes = model.workspace.bytes();
  for (const char* recipe : {"dense", "evit(keep=0.5, fuse, sites=1/2)", "ltp"}) {
    for (int i = 0; i < 3; ++i) model.run(texts.views(), recipe);
  }
  CHECK(model.workspace.bytes() == bytes);
}

TEST_CASE("a text that cannot be run is told why", "[engine][bert][errors]") {
  TextModel model(tiny_bert());
  const auto refused = [&](std::vector<int32_t> ids, std::vector<int32_t> types,
                           const char* message) {
    const TokensView view{ids, types};
    CHECK_THROWS_AS(model.run(std::span(&view, 1)), std::invalid_argument);
    CHECK_THROWS_WITH(model.run(std::span(&view, 1)), Catch::Contains(message));
  };
  CHECK(model.run({}).empty());
  refused({}, {}, "text 0 has no tokens");
  refused(std::vector<int32_t>(41, 5), {}, "41 tokens, more than the 40");
  refused({5, 100}, {}, "has the id 100, which is not in [0, 100)");
  refused({5, -1}, {}, "has the id -1");
  refused({5, 6}, {0}, "2 ids and 1 types");
  refused({5, 6}, {0, 2}, "has the type 2, which is not in [0, 2)");
  refused({5, 6}, {0, -1}, "has the type -1");

  const Texts texts({5});
  const auto views = texts.views();
  CHECK_THROWS_WITH(model.run(views, "dense", -1), Catch::Contains("[bert] threads"));
  CHECK_THROWS_WITH(model.run(views, "exit=entropy(0.3)"),
                    Catch::Contains("no classifiers after its blocks"));
  CHECK_THROWS_WITH(model.run(views, "dynamicvit(keep=0.7, sites=1)"),
                    Catch::Contains("has no predictors"));
  const Schedule deeper = Recipe::parse("ltp(threshold=0.1, sites=9)").compile(12);
  CHECK_THROWS_WITH(model.bert.run(views, deeper, model.workspace),
                    Catch::Contains("after the last block, 3"));
  BertConfig config = tiny_bert();
  config.exits = true;
  config.num_classes = 1;
  TextModel regression(config);
  CHECK_THROWS_WITH(regression.run(views, "exit=entropy(0.3)"),
                    Catch::Contains("at least 2 classes"));
}

TEST_CASE("weights that do not fit a text config are told", "[engine][bert][errors]") {
  TextModel model(tiny_bert());
  BertConfig config = tiny_bert();
  config.vocab_size = 101;
  CHECK_THROWS_AS(Bert(config, model.weights.source()), std::runtime_error);
  config = tiny_bert();
  config.mlp_dim[2] = 95;
  CHECK_THROWS_WITH(Bert(config, model.weights.source()), Catch::Contains("intermediate.dense"));
  config = tiny_bert();
  config.num_classes = 0;
  CHECK_THROWS_AS(Bert(config, model.weights.source()), std::invalid_argument);
  config = tiny_bert();
  config.exits = true;
  CHECK_THROWS_WITH(Bert(config, model.weights.source()), Catch::Contains("got none"));
  CHECK_THROWS_AS(Bert(config, model.weights.source(), &model.weights.source()),
                  std::runtime_error);
}
