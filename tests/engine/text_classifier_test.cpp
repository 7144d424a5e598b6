#include "tokensieve/engine/text_classifier.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "bert_fixture.h"
#include "temp_folder.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/file.h"

using namespace tokensieve;
using namespace tokensieve::test;

namespace {

ModelFolder text_folder(const BertConfig& config = tiny_bert()) {
  ModelFolder folder;
  folder.bert = config;
  folder.weights = std::make_shared<MemoryWeights>(RandomBert(bert_tensors(config), 1).source());
  return folder;
}

}  // namespace

TEST_CASE("a text classifier gives labels, best first, under its recipe or another",
          "[engine][text_classifier]") {
  ModelFolder folder = text_folder();
  folder.labels = {"a", "b", "c", "d", "e"};
  folder.recipe = "ltp(threshold=0.05)";
  const TextClassifier classifier(std::move(folder), {.threads = 1, .top = 2});
  CHECK(classifier.default_recipe() == Recipe::parse("ltp(threshold=0.05)"));
  CHECK(classifier.folder().labels.size() == 5);
  const Texts texts({7, 20});
  const auto views = texts.views();
  const auto results = classifier.classify(views);
  REQUIRE(results.size() == 2);
  TextModel model(tiny_bert());
  const auto expected = model.run(views, "ltp(threshold=0.05)");
  for (size_t i = 0; i < 2; ++i) {
    CHECK(results[i].output.logits == expected[i].logits);
    REQUIRE(results[i].top.size() == 2);
    const auto best = std::ranges::max_element(expected[i].logits) - expected[i].logits.begin();
    CHECK(results[i].top[0].label == best);
    CHECK(results[i].top[0].name == std::string(1, static_cast<char>('a' + best)));
    CHECK(results[i].top[0].probability >= results[i].top[1].probability);
  }
  CHECK(classifier.classify(views, Recipe())[1].output.trace.sites.empty());
}

TEST_CASE("a text classifier reads texts with the folder's tokenizer",
          "[engine][text_classifier]") {
  const TempFolder scratch;
  write_text_file(scratch / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##b\n");
  ModelFolder folder = text_folder();
  folder.tokenizer_folder = scratch.path();
  const TextClassifier classifier(std::move(folder), {.threads = 1});
  const std::vector<TextSample> texts = {{"A abb"}, {"b", "a a"}};
  const Tokens first = classifier.tokenize(texts[0]), second = classifier.tokenize(texts[1]);
  CHECK(first.ids == std::vector<std::int32_t>{2, 4, 4, 6, 6, 3});
  CHECK(second.types == std::vector<std::int32_t>{0, 0, 0, 1, 1, 1});
  const std::vector<TokensView> views = {{first.ids, first.types}, {second.ids, second.types}};
  const auto results = classifier.classify(texts), expected = classifier.classify(views);
  REQUIRE(results.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(results[i].output.logits == expected[i].output.logits);
  }
  CHECK(classifier.tokenizer() == classifier.tokenizer());
  const int most = classifier.bert().config().max_positions;
  std::string long_text;
  for (int i = 0; i < 2 * most; ++i) long_text += "a ";
  CHECK(std::ssize(classifier.tokenize({long_text}).ids) == most);
}

TEST_CASE("where tokens have logits there are no guesses", "[engine][text_classifier]") {
  const TextClassifier classifier(text_folder(tiny_bert("bert", TextHead::tokens)));
  const Texts texts({6});
  const auto results = classifier.classify(texts.views());
  CHECK(results[0].top.empty());
  CHECK(results[0].output.logits.size() == 6 * 5);
}

TEST_CASE("a text classifier chooses the density for a budget", "[engine][text_classifier]") {
  ModelFolder folder = text_folder();
  Calibration calibration;
  calibration.recipe = "ltp(threshold=0.05)";
  calibration.samples = 1000;
  calibration.dense_macs = 1e7;
  calibration.steps = {{0.01, 9e6, 999, {}}, {0.05, 7e6, 950, {}}};
  folder.calibrations = {calibration};
  const TextClassifier classifier(folder, {.threads = 1});
  CHECK(classifier.machine().threads == 1);
  CHECK(classifier.within({Budget::Kind::macs, 8e6}).density == 0.05);
  CHECK(classifier.within({Budget::Kind::agree, 0.99}).density == 0.01);
  CHECK_THROWS_AS(classifier.within({Budget::Kind::macs, 8e6}, Recipe::parse("pabee")),
                  std::invalid_argument);
  folder.calibrations[0].samples = 10;
  CHECK_THROWS_AS(TextClassifier(folder), std::invalid_argument);
}

TEST_CASE("a text folder that cannot run is told why", "[engine][text_classifier][errors]") {
  CHECK_THROWS_AS(TextClassifier::load("/no/such/folder"), std::runtime_error);
  CHECK_THROWS_WITH(TextClassifier(ModelFolder()), Catch::Contains("expected a model of texts"));
  CHECK_THROWS_WITH(TextClassifier(text_folder(), {.top = 0}), Catch::Contains("top must be 1"));
  CHECK_THROWS_WITH(
      TextClassifier(text_folder()).check(Recipe::parse("ltp(threshold=0.1, sites=9)")),
      Catch::Contains("expected sites in blocks"));
  CHECK_THROWS_WITH(TextClassifier(text_folder(), {.threads = -1}), Catch::Contains("threads"));
  ModelFolder folder = text_folder();
  folder.weights = nullptr;
  CHECK_THROWS_WITH(TextClassifier(folder), Catch::Contains("no weights"));
  folder = text_folder();
  folder.labels = {"one"};
  CHECK_THROWS_WITH(TextClassifier(folder), Catch::Contains("expected 5 labels"));
  folder = text_folder();
  folder.recipe = "pabee";
  CHECK_THROWS_WITH(TextClassifier(folder), Catch::Contains("no classifiers after its blocks"));
  folder = text_folder();
  CHECK_THROWS_WITH(TextClassifier(folder).tokenize({"a"}),
                    Catch::Contains("expected a tokenizer in the model's folder"));
  const TempFolder scratch;
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
  for (int i = 0; i < folder.bert->vocab_size; ++i) vocabulary += "w" + std::to_string(i) + "\n";
  write_text_file(scratch / "vocab.txt", vocabulary);
  folder.tokenizer_folder = scratch.path();
  const std::vector<TextSample> texts = {{"a"}};
  CHECK_THROWS_WITH(TextClassifier(folder).classify(texts),
                    Catch::Contains("expected a vocabulary of at most"));
}
