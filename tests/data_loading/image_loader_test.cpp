#include "tokensieve/data/image_loader.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "temp_folder.h"
#include "tokensieve/data/random.h"

using namespace tokensieve;

namespace {

const Preprocessing kTiny{.height = 16, .width = 24};

Image noise(int width, int height, std::uint64_t seed) {
  Random random(seed);
  Image image{width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height)};
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

/// `count` small PNG files of three classes, in turn.
class Pictures {
 public:
  explicit Pictures(int count) {
    dataset.classes = {"a", "b", "c"};
    for (int i = 0; i < count; ++i) {
      const auto path = folder / (std::to_string(100 + i) + ".png");
      write_png(path, noise(30 + i % 3, 20, static_cast<std::uint64_t>(i)));
      dataset.samples.push_back({path, i % 3});
    }
  }
  TempFolder folder;
  ImageDataset dataset;
};

LoaderOptions training_options(int batch_size, int workers) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.workers = workers;
  options.seed = 11;
  return options;
}

std::vector<Batch> take(ImageLoader& loader, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) batches.push_back(loader.next());
  return batches;
}

void check_same(const Batch& a, const Batch& b) {
  CHECK(a.step == b.step);
  CHECK(a.epoch == b.epoch);
  CHECK(a.indices == b.indices);
  CHECK(a.labels == b.labels);
  CHECK(a.targets == b.targets);
  CHECK(a.pixels == b.pixels);
  REQUIRE(a.crops.size() == b.crops.size());
  for (std::size_t i = 0; i < a.crops.size(); ++i) {
    CHECK(a.crops[i].box.left == b.crops[i].box.left);
    CHECK(a.crops[i].flipped == b.crops[i].flipped);
  }
}

}  // namespace

TEST_CASE("a training batch has pixels, labels, targets and indices", "[data][loader]") {
  const Pictures pictures(10);
  ImageLoader loader(pictures.dataset, kTiny, training_options(4, 2));
  CHECK(loader.steps_per_epoch() == 2);
  CHECK(loader.num_classes() == 3);
  CHECK(loader.dataset().samples.size() == 10);
  const Batch batch = loader.next();
  CHECK(loader.step() == 1);
  CHECK(batch.size() == 4);
  CHECK(batch.pixels.size() == std::size_t{4} * 3 * 16 * 24);
  REQUIRE(batch.crops.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(batch.crops[i].picture_width == 30 + batch.indices[i] % 3);
    CHECK(batch.crops[i].picture_height == 20);
    CHECK(batch.crops[i].box.width >= 1);
  }
  CHECK(batch.targets.size() == 12);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(batch.labels[i] == batch.indices[i] % 3);
  }
}

TEST_CASE("batches are the same for any number of workers", "[data][loader]") {
  const Pictures pictures(11);
  ImageLoader one(pictures.dataset, kTiny, training_options(4, 1));
  const auto expected = take(one, 7);
  for (const int workers : {2, 5}) {
    LoaderOptions options = training_options(4, workers);
    options.prefetch = workers;
    ImageLoader many(pictures.dataset, kTiny, options);
    const auto batches = take(many, 7);
    for (std::size_t i = 0; i < batches.size(); ++i) check_same(batches[i], expected[i]);
  }
}

TEST_CASE("seeking to a step gives what running to it gives", "[data][loader]") {
  const Pictures pictures(11);
  ImageLoader running(pictures.dataset, kTiny, training_options(3, 2));
  const auto expected = take(running, 9);
  ImageLoader seeking(pictures.dataset, kTiny, training_options(3, 2));
  for (const int step : {7, 0, 4, 4, 8, 1}) {
    seeking.seek(step);
    CHECK(seeking.step() == step);
    check_same(seeking.next(), expected[static_cast<std::size_t>(step)]);
  }
  seeking.seek(1'000'000'000'000);
  CHECK(seeking.next().epoch == 333'333'333'333);
}

TEST_CASE("an epoch has each picture at most once, in an order of its own", "[data][loader]") {
  const Pictures pictures(10);
  ImageLoader loader(pictures.dataset, kTiny, training_options(3, 2));
  std::vector<std::vector<std::int64_t>> epochs(2);
  for (const Batch& batch : take(loader, 6)) {
    auto& indices = epochs.at(static_cast<std::size_t>(batch.epoch));
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  }
  for (const auto& indices : epochs) {
    CHECK(std::set(indices.begin(), indices.end()).size() == 9);
  }
  CHECK(epochs[0] != epochs[1]);
}

TEST_CASE("another seed gives other batches", "[data][loader]") {
  const Pictures pictures(8);
  LoaderOptions options = training_options(8, 1);
  ImageLoader a(pictures.dataset, kTiny, options);
  options.seed = 12;
  ImageLoader b(pictures.dataset, kTiny, options);
  CHECK(a.next().pixels != b.next().pixels);
}

TEST_CASE("evaluation gives every picture in order as preprocess() makes it", "[data][loader]") {
  const Pictures pictures(7);
  ImageLoader loader(pictures.dataset, kTiny, evaluation_options(3));
  CHECK(loader.steps_per_epoch() == 3);
  for (int pass = 0; pass < 2; ++pass) {
    std::int64_t index = 0;
    for (const Batch& batch : take(loader, 3)) {
      const std::size_t length = std::size_t{3} * 16 * 24;
      for (std::int64_t i = 0; i < batch.size(); ++i, ++index) {
        const auto n = static_cast<std::size_t>(i);
        CHECK(batch.indices[n] == index);
        std::vector<float> expected(length);
        preprocess(read_image(pictures.dataset.samples[static_cast<std::size_t>(index)].path),
                   kTiny, expected);
        CHECK(std::equal(expected.begin(), expected.end(), &batch.pixels[n * length]));
        CHECK(batch.targets[n * 3 + static_cast<std::size_t>(index % 3)] == 1.0F);
      }
    }
    CHECK(index == 7);
    CHECK_THROWS_AS(loader.next(), std::invalid_argument);
    loader.seek(0);
  }
}

TEST_CASE("a batch's pixels are the augmented pictures, mixed as it says", "[data][loader]") {
  const Pictures pictures(6);
  LoaderOptions options = training_options(6, 2);
  ImageLoader mixed(pictures.dataset, kTiny, options);
  options.mixing = std::nullopt;
  ImageLoader plain(pictures.dataset, kTiny, options);
  for (int step = 0; step < 6; ++step) {
    const Batch with = mixed.next();
    Batch without = plain.next();
    CHECK(with.indices == without.indices);
    CHECK(without.mixture.lambda == 1.0);
    mix_pixels(without.pixels, kTiny.width, kTiny.height, with.mixture);
    CHECK(with.pixels == without.pixels);
    CHECK(with.targets == soft_targets(with.labels, 3, 0.1, with.mixture.lambda));
  }
}

TEST_CASE("a picture is augmented anew in each epoch", "[data][loader]") {
  const Pictures pictures(1);
  LoaderOptions options = training_options(1, 1);
  options.mixing = std::nullopt;
  ImageLoader loader(pictures.dataset, kTiny, options);
  const auto batches = take(loader, 2);
  CHECK(batches[1].epoch == 1);
  CHECK(batches[0].pixels != batches[1].pixels);
}

TEST_CASE("a cache of any size changes nothing", "[data][loader]") {
  const Pictures pictures(9);
  ImageLoader plain(pictures.dataset, kTiny, training_options(4, 2));
  const auto expected = take(plain, 8);
  for (const std::size_t bytes : {std::size_t{5000}, std::size_t{1} << 20}) {
    LoaderOptions options = training_options(4, 2);
    options.cache_bytes = bytes;
    ImageLoader cached(pictures.dataset, kTiny, options);
    const auto batches = take(cached, 8);
    for (std::size_t i = 0; i < batches.size(); ++i) check_same(batches[i], expected[i]);
  }
}

TEST_CASE("a cached picture is not read again", "[data][loader]") {
  const Pictures pictures(4);
  LoaderOptions options = training_options(4, 1);
  options.cache_bytes = std::size_t{1} << 20;
  ImageLoader loader(pictures.dataset, kTiny, options);
  loader.next();
  for (const Sample& sample : pictures.dataset.samples) std::filesystem::remove(sample.path);
  CHECK_NOTHROW(take(loader, 5));
}

TEST_CASE("a loader can be destroyed at any moment", "[data][loader]") {
  const Pictures pictures(12);
  for (int i = 0; i < 30; ++i) {
    ImageLoader loader(pictures.dataset, kTiny, training_options(4, 1 + i % 4));
    for (int step = 0; step < i % 3; ++step) loader.next();
    if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200 * i));
    if (i % 7 == 0) loader.seek(100 + i);
  }
}

TEST_CASE("a damaged picture is an error that names the file, and the next step goes on",
          "[data][loader]") {
  Pictures pictures(9);
  std::ofstream(pictures.dataset.samples[4].path) << "no picture";
  LoaderOptions options = evaluation_options(3);
  options.workers = 3;
  ImageLoader loader(pictures.dataset, kTiny, options);
  CHECK(loader.next().step == 0);
  CHECK_THROWS_WITH(loader.next(), Catch::Contains("104.png"));
  CHECK(loader.next().step == 2);
}

TEST_CASE("of several damaged pictures the first is named", "[data][loader]") {
  Pictures pictures(9);
  for (const std::size_t i : {2, 5, 8}) std::filesystem::remove(pictures.dataset.samples[i].path);
  for (int i = 0; i < 5; ++i) {
    LoaderOptions options = evaluation_options(9);
    options.workers = 4;
    ImageLoader loader(pictures.dataset, kTiny, options);
    CHECK_THROWS_WITH(loader.next(), Catch::Contains("102.png"));
  }
}

TEST_CASE("a picture too narrow to scale is an error that names the file", "[data][loader]") {
  Pictures pictures(2);
  write_png(pictures.dataset.samples[1].path, noise(2000, 1, 1));
  Preprocessing border = kTiny;
  border.crop_mode = CropMode::border;
  ImageLoader loader(pictures.dataset, border, evaluation_options(2));
  CHECK_THROWS_WITH(loader.next(), Catch::Contains("101.png") && Catch::Contains("too narrow"));
}

TEST_CASE("real photos make a batch", "[data][loader]") {
  const auto folder =
      std::filesystem::path(TOKENSIEVE_TEST_DATA) / ".." / ".." / "demos" / "images";
  ImageDataset dataset;
  for (const auto& path : find_images(folder)) dataset.samples.push_back({path, 0});
  REQUIRE(dataset.samples.size() >= 4);
  dataset.samples.resize(4);
  LoaderOptions options = training_options(4, 2);
  options.num_classes = 10;
  ImageLoader loader(dataset, {}, options);
  const Batch batch = loader.next();
  CHECK(batch.targets.size() == 40);
  const auto [low, high] = std::ranges::minmax(batch.pixels);
  CHECK((low > -8 && high < 8));
  double sum = 0.0;
  for (const float value : batch.pixels) sum += value;
  CHECK(std::abs(sum / static_cast<double>(batch.pixels.size())) < 1.5);
}

TEST_CASE("a loader refuses data and options that make no batch", "[data][loader]") {
  const Pictures pictures(4);
  const auto refused = [&](auto change) {
    LoaderOptions options = training_options(2, 1);
    ImageDataset dataset = pictures.dataset;
    Preprocessing preprocessing = kTiny;
    change(dataset, preprocessing, options);
    CHECK_THROWS_AS(ImageLoader(dataset, preprocessing, options), std::invalid_argument);
  };
  refused([](auto&, auto&, auto& o) { o.batch_size = 5; });  // more than there are
  refused([](auto&, auto&, auto& o) { o.batch_size = 0; });
  refused([](auto&, auto&, auto& o) { o.workers = -1; });
  refused([](auto&, auto&, auto& o) { o.workers = 100'000; });
  refused([](auto&, auto&, auto& o) { o.prefetch = 0; });
  refused([](auto&, auto&, auto& o) { o.epochs = -1; });
  refused([](auto&, auto&, auto& o) { o.num_classes = 2; });  // labels reach 2
  refused([](auto&, auto&, auto& o) { o.mixing->probability = 7; });
  refused([](auto&, auto&, auto& o) { o.augmentation->flip = 7; });
  refused([](auto&, auto& p, auto&) { p.height = 0; });
  refused([](auto& d, auto&, auto&) { d.samples[1].label = -1; });
  refused([](auto& d, auto&, auto&) { d.classes.clear(); });
  refused([](auto& d, auto&, auto& o) {
    d.samples.clear();
    o = evaluation_options(2);
  });
  ImageLoader loader(pictures.dataset, kTiny, evaluation_options(2));
  CHECK_THROWS_AS(loader.seek(-1), std::invalid_argument);
  CHECK_THROWS_AS(loader.seek(3), std::invalid_argument);
  loader.seek(2);
  CHECK_THROWS_AS(loader.next(), std::invalid_argument);
}
