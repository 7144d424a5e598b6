#include "tokensieve/engine/classifier.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "random_model.h"

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

TEST_CASE("logits that are NaN still give a ranking", "[engine][classifier]") {
  const Classifier classifier(tiny_folder(), {.threads = 1});
  const std::vector<float> pixels(3 * 32 * 32, std::nanf(""));
  const PixelsView view{pixels.data(), 32, 32};
  CHECK(classifier.classify(std::span(&view, 1))[0].top.size() == 4);
}

TEST_CASE("a classifier that cannot work is refused at once", "[engine][classifier][errors]") {
  CHECK_THROWS_WITH(Classifier(tiny_folder(), {.top = 0}), Catch::Contains("top must be 1"));
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
