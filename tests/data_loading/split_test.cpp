#include "tokensieve/data/split.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace tokensieve;

namespace {

ImageDataset dataset_of(const std::vector<int>& pictures_per_class) {
  ImageDataset dataset;
  for (std::size_t label = 0; label < pictures_per_class.size(); ++label) {
    dataset.classes.push_back("class " + std::to_string(label));
    for (int i = 0; i < pictures_per_class[label]; ++i) {
      dataset.samples.push_back(
          {dataset.classes.back() + "/" + std::to_string(i) + ".jpg", static_cast<int>(label)});
    }
  }
  return dataset;
}

std::vector<int> counts(const ImageDataset& dataset) {
  std::vector<int> counts(dataset.classes.size());
  for (const Sample& sample : dataset.samples) ++counts[static_cast<std::size_t>(sample.label)];
  return counts;
}

}  // namespace

TEST_CASE("every class gives its share to the held-out part", "[data][split]") {
  const ImageDataset dataset = dataset_of({100, 40, 7, 2, 1});
  const HeldOutSplit split = split_held_out(dataset, 0.1, 1);
  CHECK(counts(split.held_out) == std::vector<int>{10, 4, 1, 1, 0});
  CHECK(counts(split.train) == std::vector<int>{90, 36, 6, 1, 1});
  CHECK(split.train.classes == dataset.classes);
  CHECK(split.held_out.classes == dataset.classes);
  std::set<std::string> paths;
  for (const auto& part : {split.train, split.held_out}) {
    for (const Sample& sample : part.samples) paths.insert(sample.path.string());
  }
  CHECK(paths.size() == 150);
}

TEST_CASE("a class is never held out whole", "[data][split]") {
  CHECK(counts(split_held_out(dataset_of({3}), 0.99, 1).train) == std::vector<int>{1});
}

TEST_CASE("the split depends on the seed and not on the order of files", "[data][split]") {
  const ImageDataset dataset = dataset_of({50, 50});
  ImageDataset reversed = dataset;
  std::ranges::reverse(reversed.samples);
  const HeldOutSplit split = split_held_out(dataset, 0.2, 1);
  CHECK(split_held_out(reversed, 0.2, 1).held_out.samples == split.held_out.samples);
  CHECK(split_held_out(reversed, 0.2, 1).train.samples == split.train.samples);
  CHECK(split_held_out(dataset, 0.2, 2).held_out.samples != split.held_out.samples);
}

TEST_CASE("a fraction outside (0, 1) is refused", "[data][split]") {
  for (const double fraction : {0.0, 1.0, -0.5, std::nan("")}) {
    CHECK_THROWS_AS(split_held_out(dataset_of({5}), fraction, 1), std::invalid_argument);
  }
}

TEST_CASE("texts are split by class, whatever their order", "[data][split]") {
  TextDataset dataset;
  for (int i = 0; i < 60; ++i) dataset.samples.push_back({"text " + std::to_string(i), "", i % 3});
  TextDataset reversed = dataset;
  std::ranges::reverse(reversed.samples);
  const HeldOutTexts split = split_held_out(dataset, 0.2, 1);
  CHECK(split.train.samples.size() == 48);
  std::vector<int> held_out(3);
  std::set<std::string> texts;
  for (const TextSample& sample : split.held_out.samples) {
    ++held_out[static_cast<std::size_t>(sample.label)];
  }
  CHECK(held_out == std::vector<int>{4, 4, 4});
  const auto texts_of = [](const TextDataset& part) {
    std::vector<std::string> list;
    for (const TextSample& sample : part.samples) list.push_back(sample.text);
    return list;
  };
  CHECK(texts_of(split_held_out(reversed, 0.2, 1).held_out) == texts_of(split.held_out));
  CHECK(texts_of(split_held_out(dataset, 0.2, 2).held_out) != texts_of(split.held_out));
  for (const auto& part : {split.train, split.held_out}) {
    for (const TextSample& sample : part.samples) texts.insert(sample.text);
  }
  CHECK(texts.size() == 60);
  CHECK_THROWS_AS(split_held_out(dataset, 1.0, 1), std::invalid_argument);
}
