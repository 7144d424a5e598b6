#include "tokensieve/engine/classifier.h"

#include <omp.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "random_model.h"
#include "tokensieve/engine/machine.h"

using namespace tokensieve;

namespace {

ModelFolder tiny_folder() {
  ModelFolder folder;
  folder.vit.image_height = folder.vit.image_width = 32;
  folder.vit.patch_size = 8;
  folder.vit.embed_dim = 32;
  folder.vit.head_dim = 16;
  folder.vit.num_heads = {2, 2};
  folder.vit.mlp_dim = {64, 64};
  folder.vit.num_classes = 4;
  folder.preprocessing.height = folder.preprocessing.width = 32;
  folder.recipe = "evit(keep=0.5, sites=0)";
  const test::RandomWeights weights(folder.vit, 5);
  folder.weights = std::make_shared<MemoryWeights>(weights.source());
  return folder;
}

Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x * 3, y * 5, x + y})
        image.pixels.push_back(static_cast<uint8_t>(value));
    }
  }
  return image;
}

}  // namespace

TEST_CASE("a classifier names its best guesses, best first", "[engine][classifier]") {
  ModelFolder folder = tiny_folder();
  folder.labels = {"ant", "bee", "cat", "dog"};
  const Classifier classifier(std::move(folder), {.threads = 1, .top = 9});
  const std::vector<Image> images = {gradient(50, 40), gradient(32, 64)};
  const auto results = classifier.classify(images);
  REQUIRE(results.size() == 2);
  for (const Classification& result : results) {
    REQUIRE(result.top.size() == 4);
    float sum = 0.0f;
    for (const Guess& guess : result.top) {
      CHECK(guess.name == classifier.folder().labels[static_cast<size_t>(guess.label)]);
      sum += guess.probability;
    }
    CHECK(sum == Approx(1.0f));
    CHECK(result.top[0].probability >= result.top[1].probability);
    CHECK(result.output.logits[static_cast<size_t>(result.top[0].label)] ==
          *std::max_element(result.output.logits.begin(), result.output.logits.end()));
  }
}

TEST_CASE("a classifier uses its default recipe, or the call's", "[engine][classifier]") {
  const Classifier classifier(tiny_folder(), {.threads = 1});
  CHECK(classifier.default_recipe() == Recipe::parse("evit(keep=0.5, sites=0)"));
  const std::vector<Image> images = {gradient(32, 32)};
  CHECK(classifier.classify(images)[0].output.trace.kept_indices().size() == 8);
  CHECK(classifier.classify(images, Recipe())[0].output.trace.kept_indices().size() == 16);
  CHECK(classifier.classify(images)[0].top[0].name.starts_with("class "));
}

TEST_CASE("batches and single images give what all together give", "[engine][classifier]") {
  const std::vector<Image> images = {gradient(32, 32), gradient(40, 32), gradient(32, 50),
                                     gradient(64, 64), gradient(33, 32)};
  const Classifier together(tiny_folder(), {.threads = 1});
  const auto all = together.classify(images);
  const Classifier apart(tiny_folder(), {.threads = 1, .batch = 2});
  const auto cut = apart.classify(images);
  REQUIRE(cut.size() == 5);
  for (size_t i = 0; i < images.size(); ++i) {
    CHECK(cut[i].output.logits == all[i].output.logits);
    CHECK(together.classify(images[i]).output.logits == all[i].output.logits);
  }
}

TEST_CASE("logits that are NaN still give a ranking", "[engine][classifier]") {
  const Classifier classifier(tiny_folder(), {.threads = 1});
  const std::vector<float> pixels(3 * 32 * 32, std::nanf(""));
  const PixelsView view{pixels.data(), 32, 32};
  CHECK(classifier.classify(std::span(&view, 1))[0].top.size() == 4);
}

TEST_CASE("features are not guessed from", "[engine][classifier]") {
  ModelFolder folder = tiny_folder();
  folder.vit.num_classes = 0;
  const Classifier classifier(std::move(folder), {.threads = 1});
  const std::vector<Image> images = {gradient(32, 32)};
  const auto result = classifier.classify(images).front();
  CHECK(result.top.empty());
  CHECK(result.output.logits.size() == 32);
}

TEST_CASE("a limit on threads takes nothing from the work", "[engine][classifier][threads]") {
  // The network shares work out among the threads it asks for: fewer would leave some undone.
  const std::vector<Image> images = {gradient(32, 32)};
  const auto logits = [&](int threads) {
    return Classifier(tiny_folder(), {.threads = threads}).classify(images)[0].output.logits;
  };
  const auto expected = logits(1);
  const int before = omp_get_dynamic();
  omp_set_dynamic(1);
  for (const int threads : {0, 1, 8}) {
    const auto found = logits(threads);
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(found[i] == Approx(expected[i]).margin(1e-5));
    }
  }
  CHECK(omp_get_dynamic() == 1);
  omp_set_dynamic(before);
  CHECK(Classifier(tiny_folder()).machine().threads <= omp_get_thread_limit());
}

TEST_CASE("a classifier that cannot work is refused at once", "[engine][classifier][errors]") {
  CHECK_THROWS_WITH(Classifier(tiny_folder(), {.top = 0}), Catch::Contains("top must be 1"));
  CHECK_THROWS_WITH(Classifier(tiny_folder(), {.batch = 0}), Catch::Contains("batch must be 1"));
  ModelFolder folder = tiny_folder();
  folder.recipe = "evit(keep=0.5, sites=7)";
  CHECK_THROWS_AS(Classifier(std::move(folder)), std::invalid_argument);
  folder = tiny_folder();
  folder.labels = {"one"};
  CHECK_THROWS_WITH(Classifier(std::move(folder)), Catch::Contains("expected 4 labels"));
  folder = tiny_folder();
  folder.weights = nullptr;
  CHECK_THROWS_WITH(Classifier(std::move(folder)), Catch::Contains("no weights"));
  folder = tiny_folder();
  folder.bert = BertConfig();
  CHECK_THROWS_WITH(Classifier(folder), Catch::Contains("[classifier] expected a model of images"));
  folder.bert.reset();
  folder.vit.in_channels = 4;
  CHECK_THROWS_WITH(Classifier(std::move(folder)), Catch::Contains("3 channels"));
  CHECK_THROWS_WITH(Classifier(tiny_folder(), {.threads = -1}), Catch::Contains("threads"));
  CHECK_THROWS_AS(Classifier::load("/nowhere"), std::runtime_error);
}

namespace {

/// The tiny folder with a staircase timed on the machine of a classifier with one thread.
ModelFolder calibrated_folder(double dense_ms, double step_ms) {
  ModelFolder folder = tiny_folder();
  Calibration calibration;
  calibration.recipe = "evit(keep=0.7, sites=0)";
  calibration.samples = 1000;
  calibration.dense_macs = 1e6;
  calibration.steps = {{0.5, 7e5, 999, {}}};
  const Machine machine = Classifier(tiny_folder(), {.threads = 1}).machine();
  calibration.latencies = {
      {machine, {dense_ms, dense_ms, dense_ms}, {{step_ms, step_ms, step_ms}}}};
  folder.calibrations = {calibration};
  return folder;
}

}  // namespace

TEST_CASE("a classifier finds the density for a budget", "[engine][classifier][budget]") {
  const Classifier classifier(calibrated_folder(10, 6), {.threads = 1});
  CHECK(classifier.within({Budget::Kind::latency_ms, 8}).density == 0.5);
  CHECK(classifier.within({Budget::Kind::latency_ms, 10}).recipe.is_dense());
  const Recipe other = Recipe::parse("evit(keep=0.2, sites=0)");
  const BudgetChoice choice = classifier.within({Budget::Kind::agree, 0.99}, other);
  CHECK(choice.recipe == Recipe::parse("evit(keep=0.5, sites=0)"));
  CHECK_THROWS_AS(classifier.within({Budget::Kind::agree, 0.99}, Recipe::parse("evit(sites=1)")),
                  std::invalid_argument);
  SECTION("times of other threads are those of another machine") {
    const Classifier two(calibrated_folder(10, 6), {.threads = 2});
    CHECK(two.machine().threads == 2);
    CHECK(two.machine().cpu == classifier.machine().cpu);
    CHECK_THROWS_WITH(two.within({Budget::Kind::latency_ms, 8}), Catch::Contains("--only-latency"));
  }
  SECTION("nothing slower than dense is chosen") {
    const Classifier slow(calibrated_folder(10, 11), {.threads = 1});
    CHECK(slow.within({Budget::Kind::agree, 0.9}).recipe.is_dense());
    CHECK(slow.within({Budget::Kind::macs, 8e5}).recipe.is_dense());
  }
  SECTION("a calibration that does not hold together is told at once") {
    ModelFolder folder = calibrated_folder(10, 6);
    folder.calibrations[0].samples = 0;
    CHECK_THROWS_WITH(Classifier(std::move(folder)), Catch::Contains("[calibration]"));
  }
  SECTION("a model whose own recipe is dense has the only calibration's") {
    ModelFolder folder = calibrated_folder(10, 6);
    folder.recipe = "dense";
    const Classifier dense(std::move(folder), {.threads = 1});
    CHECK(dense.within({Budget::Kind::macs, 8e5}).density == 0.5);
  }
}

TEST_CASE("the machine has a name and the threads of a call", "[engine][classifier][budget]") {
  const Machine machine = this_machine(1);
  CHECK_FALSE(machine.cpu.empty());
  CHECK(machine.cpu.size() <= 200);
  CHECK(machine.threads == 1);
  CHECK(machine.precision == "f32");
  CHECK(this_machine(0).threads >= 1);
  CHECK(this_machine(1) == machine);
}
