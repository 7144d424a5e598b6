#include "tokensieve/data/text_loader.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tokensieve/data/random.h"

using namespace tokensieve;

namespace {

/// Texts of 2 to 61 tokens; the first token tells them apart.
std::vector<TokenSample> random_texts(int count) {
  std::vector<TokenSample> samples;
  Random random(4);
  for (int i = 0; i < count; ++i) {
    const size_t length = 2 + random.below(60);
    samples.push_back({std::vector<std::int32_t>(length, 7), std::vector<std::int32_t>(length, 0),
                       static_cast<int>(random.below(3))});
    samples.back().ids[0] = i;
    samples.back().types.back() = 1;
  }
  return samples;
}

TextLoaderOptions options_of(int batch_size, int bucket = 4) {
  TextLoaderOptions options;
  options.batch_size = batch_size;
  options.bucket = bucket;
  options.seed = 5;
  return options;
}

double padding_of(TextLoader& loader) {
  double padding = 0, all = 0;
  for (int64_t step = 0; step < loader.steps_per_epoch(); ++step) {
    const TextBatch batch = loader.next();
    all += static_cast<double>(batch.tokens.size());
    padding += static_cast<double>(std::ranges::count(batch.tokens, -1));
  }
  return padding / all;
}

}  // namespace

TEST_CASE("a batch of texts is padded to its longest with -1", "[text_loader]") {
  TextLoader loader({{{5, 6, 7}, {0, 0, 1}, 1}, {{8}, {0}, 0}}, 2, text_evaluation_options(2));
  const TextBatch batch = loader.next();
  CHECK(batch.length == 3);
  CHECK(batch.indices == std::vector<std::int64_t>{1, 0});  // shortest first
  CHECK(batch.tokens == std::vector<std::int64_t>{8, -1, -1, 0, -1, -1, 5, 6, 7, 0, 0, 1});
  CHECK(batch.labels == std::vector<std::int64_t>{0, 1});
  CHECK(batch.targets == std::vector<float>{1, 0, 0, 1});
}

TEST_CASE("every text comes once an epoch, in another order each time", "[text_loader]") {
  const bool drop_last = GENERATE(true, false);
  auto options = options_of(8);
  options.drop_last = drop_last;
  TextLoader loader(random_texts(100), 3, options);
  CHECK(loader.steps_per_epoch() == (drop_last ? 12 : 13));
  std::vector<std::vector<std::int64_t>> epochs(2);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int64_t step = 0; step < loader.steps_per_epoch(); ++step) {
      const TextBatch batch = loader.next();
      CHECK(batch.epoch == epoch);
      CHECK(batch.step == epoch * loader.steps_per_epoch() + step);
      for (size_t i = 0; i < batch.indices.size(); ++i) {
        CHECK(batch.tokens[i * 2 * static_cast<size_t>(batch.length)] == batch.indices[i]);
      }
      epochs[static_cast<size_t>(epoch)].insert(epochs[static_cast<size_t>(epoch)].end(),
                                                batch.indices.begin(), batch.indices.end());
    }
  }
  CHECK(std::set(epochs[0].begin(), epochs[0].end()).size() == (drop_last ? 96 : 100));
  CHECK(epochs[0] != epochs[1]);
}

TEST_CASE("a step's texts depend on seed and step alone", "[text_loader]") {
  TextLoader straight(random_texts(50), 3, options_of(4)), jumping = straight;
  std::vector<TextBatch> batches;
  for (int step = 0; step < 30; ++step) batches.push_back(straight.next());
  for (const int64_t step : {29, 3, 17, 12, 0}) {
    jumping.seek(step);
    CHECK(jumping.step() == step);
    const TextBatch batch = jumping.next();
    CHECK(batch.indices == batches[static_cast<size_t>(step)].indices);
    CHECK(batch.tokens == batches[static_cast<size_t>(step)].tokens);
  }
  auto other = options_of(4);
  other.seed = 6;
  CHECK(TextLoader(random_texts(50), 3, other).next().indices != batches[0].indices);
}

TEST_CASE("sorting within buckets leaves little padding", "[text_loader]") {
  TextLoader mixed(random_texts(800), 3, options_of(8, 1));
  TextLoader sorted(random_texts(800), 3, options_of(8, 50));
  TextLoader evaluation(random_texts(800), 3, text_evaluation_options(8));
  CHECK(padding_of(mixed) > 0.3);
  CHECK(padding_of(sorted) < 0.04);
  CHECK(padding_of(evaluation) < 0.02);
}

TEST_CASE("texts that make no batches are refused", "[text_loader][errors]") {
  const auto refused = [](std::vector<TokenSample> samples, const TextLoaderOptions& options) {
    CHECK_THROWS_WITH(TextLoader(std::move(samples), 3, options), Catch::Contains("[text_loader]"));
  };
  refused(random_texts(3), options_of(4));
  refused({}, text_evaluation_options(4));
  refused({{{}, {}, 0}}, text_evaluation_options(4));
  refused({{{1, 2}, {0}, 0}}, text_evaluation_options(4));
  refused({{{1}, {0}, 3}}, text_evaluation_options(4));
  refused({{{1}, {0}, -1}}, text_evaluation_options(4));
  refused(random_texts(9), options_of(0));
  refused(random_texts(9), options_of(4, 0));
  auto options = options_of(4);
  options.label_smoothing = 1;
  refused(random_texts(9), options);
  CHECK_THROWS_WITH(TextLoader(random_texts(9), 3, options_of(4)).seek(-1),
                    Catch::Contains("a step from 0"));
}
