#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

#include "bert_fixture.h"
#include "contributions.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

const std::vector<int> kLengths = {17, 1, 40, 2, 9, 33};

BertConfig with_contributions(TextHead head = TextHead::classification) {
  BertConfig config = tiny_bert("bert", head);
  config.contributions = true;
  return config;
}

MemoryWeights copy_of(const WeightSource& source) {
  MemoryWeights copy;
  for (const std::string& name : source.names()) {
    copy.set(name, source.shape(name), source.read(name, source.shape(name)));
  }
  return copy;
}

}  // namespace

TEST_CASE("AdapLeR is what its formulas say, each text with a softmax of its own",
          "[engine][adapler]") {
  const std::string text = GENERATE(
      as<std::string>{}, "adapler(threshold=0.7)", "adapler(threshold=0.2/0.5/0.8/1, sites=0..3)",
      "adapler(threshold=0.9, sites=1/3)",
      "score=contribution | select=top_k(0.6) | drop=fuse | at=before:0/2",
      "score=contribution | select=threshold(0.7) | drop=gone | at=before:0.. | exit=entropy(0.9)");
  BertConfig config = with_contributions();
  config.exits = text.find("exit") != text.npos;
  TextModel model(config);
  const Texts texts(kLengths);
  const auto views = texts.views();
  const auto outputs = model.run(views, text);
  PlainBert plain(model.config, model.weights.source(), &model.sieve.source());
  const Schedule schedule = Recipe::parse(text).compile(config.depth());
  int64_t macs = 0, left = 0, all = 0;
  for (size_t i = 0; i < views.size(); ++i) {
    CAPTURE(text, i);
    check_close(outputs[i].logits, plain(views[i], schedule));
    CHECK(outputs[i].trace.exit_layer == plain.exit_layer);
    macs += outputs[i].macs.total();
    left += outputs[i].layers.back().mlp;
    all += kLengths[i];
  }
  CHECK(model.workspace.executed_macs() == macs);
  CHECK(left < all);
  // Alone as in the batch, whatever the threads.
  for (size_t i = 0; i < views.size(); ++i) {
    const auto alone = model.run(std::span(&views[i], 1), text, 1);
    CHECK(alone[0].trace.kept_indices(-1) == outputs[i].trace.kept_indices(-1));
    check_close(alone[0].logits, outputs[i].logits);
  }
}

TEST_CASE("heads of tokens run with contributions, too", "[engine][adapler]") {
  TextModel model(with_contributions(TextHead::tokens));
  const Texts texts(kLengths);
  const auto views = texts.views();
  const auto outputs = model.run(views, "adapler(threshold=0.8)");
  PlainBert plain(model.config, model.weights.source(), &model.sieve.source());
  const Schedule schedule = Recipe::parse("adapler(threshold=0.8)").compile(4);
  for (size_t i = 0; i < views.size(); ++i) {
    check_close(outputs[i].logits, plain(views[i], schedule));
  }
}

TEST_CASE("bars of 0 are the dense network bit for bit, at the price of the predictors",
          "[engine][adapler]") {
  TextModel model(with_contributions());
  const Texts texts(kLengths);
  const auto dense = model.run(texts.views());
  const auto none = model.run(texts.views(), "adapler(threshold=0)");
  for (size_t i = 0; i < dense.size(); ++i) {
    CHECK(none[i].logits == dense[i].logits);
    CHECK(dense[i].macs.predictors == 0);
    CHECK(none[i].macs.predictors == 4 * count_predictor_macs(model.config, kLengths[i]));
    CHECK(none[i].macs.total() == dense[i].macs.total() + none[i].macs.predictors);
  }
}

TEST_CASE("a trace has every token's contribution, which sum to the tokens there are",
          "[engine][adapler]") {
  TextModel model(with_contributions());
  const Texts texts({12});
  const auto outputs = model.run(texts.views(), "adapler(threshold=0.5)");
  int64_t present = 12;
  for (const SiteTrace& site : outputs[0].trace.sites) {
    CHECK(site.score_name == "contribution");
    double sum = 0.0;
    int64_t scored = 0;
    for (const float score : site.score) {
      if (std::isnan(score)) continue;  // gone before
      sum += score;
      ++scored;
    }
    CHECK(scored == present - 1);
    CHECK(sum < static_cast<double>(present));  // the class token has the rest
    present = site.rows;
  }
}

TEST_CASE("even contributions reach a bar of 1", "[engine][adapler]") {
  TextModel model(with_contributions());
  MemoryWeights sieve = copy_of(model.sieve.source());
  for (int l = 0; l < 4; ++l) {
    sieve.set(contribution_name(l) + ".output.weight", {1, 32}, std::vector<float>(32, 0.0f));
  }
  const Bert even(model.config, model.weights.source(), &sieve);
  const Texts texts(kLengths);
  const auto outputs =
      even.run(texts.views(), Recipe::parse("adapler(threshold=1)").compile(4), model.workspace);
  for (size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i].layers[3].mlp == kLengths[i]);
}

TEST_CASE("predictors that say NaN or infinity drop neither the class token nor every other",
          "[engine][adapler]") {
  const float bad =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  TextModel model(with_contributions());
  MemoryWeights sieve = copy_of(model.sieve.source());
  sieve.set(contribution_name(1) + ".output.weight", {1, 32}, std::vector<float>(32, bad));
  const Bert broken(model.config, model.weights.source(), &sieve);
  const Texts texts(kLengths);
  const auto outputs =
      broken.run(texts.views(), Recipe::parse("adapler").compile(4), model.workspace);
  for (size_t i = 0; i < outputs.size(); ++i) {
    CHECK(outputs[i].layers[1].mlp >= std::min(kLengths[i], 2));
    for (const float logit : outputs[i].logits) CHECK(std::isfinite(logit));
  }
}

TEST_CASE("contributions and predictors of another kind are told apart",
          "[engine][adapler][errors]") {
  const Texts texts({5});
  TextModel without(tiny_bert()), with(with_contributions());
  CHECK_THROWS_WITH(without.run(texts.views(), "adapler"),
                    Catch::Contains("no contribution predictors"));
  CHECK_THROWS_WITH(with.run(texts.views(),
                             "score=contribution | select=top_k(0.6) | drop=gone | "
                             "at=after_attention:1"),
                    Catch::Contains("use at=before:1"));
  CHECK_THROWS_WITH(with.run(texts.views(), "dynamicvit(keep=0.7, sites=1)"),
                    Catch::Contains("has no predictors"));
  Model vit(tiny(), 3);
  CHECK_THROWS_WITH(vit.vit.check(Recipe::parse("adapler").compile(vit.config.depth())),
                    Catch::Contains("no contribution predictors"));
  const BertConfig config = with_contributions();
  CHECK_THROWS_WITH(Bert(config, with.weights.source()), Catch::Contains("got none"));
  MemoryWeights sieve = copy_of(with.sieve.source());
  sieve.set(contribution_name(3) + ".hidden.weight", {31, 48}, std::vector<float>(31 * 48));
  CHECK_THROWS_WITH(Bert(config, with.weights.source(), &sieve),
                    Catch::Contains("of shape [32, 48], got [31, 48]"));
}
