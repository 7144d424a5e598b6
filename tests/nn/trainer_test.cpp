#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "checkpoint.h"
#include "metrics_log.h"
#include "nn_test.h"
#include "temp_folder.h"
#include "tokensieve/data/random.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/nn/losses.h"
#include "tokensieve/nn/trainer.h"
#include "tokensieve/nn/weights.h"

using namespace tokensieve;
namespace fs = std::filesystem;

namespace {

/// Pictures of three classes that differ in colour, as PNG files.
ImageDataset colour_pictures(const fs::path& folder, int per_class) {
  ImageDataset data{{"red", "green", "blue"}, {}};
  Random random(1);
  for (int label = 0; label < 3; ++label) {
    for (int i = 0; i < per_class; ++i) {
      Image image{16, 16, std::vector<uint8_t>(16 * 16 * 3)};
      for (size_t p = 0; p < image.pixels.size(); ++p) {
        image.pixels[p] =
            static_cast<uint8_t>(random.below(128) + (static_cast<int>(p % 3) == label ? 100 : 0));
      }
      const fs::path path = folder / (std::to_string(label) + "_" + std::to_string(i) + ".png");
      write_png(path, image);
      data.samples.push_back({path, label});
    }
  }
  return data;
}

struct Setup {
  explicit Setup(bool dynamic) {
    data = colour_pictures(folder.path(), 16);
    preprocessing.height = preprocessing.width = 16;
    loader.batch_size = 8;
    loader.seed = 3;
    loader.workers = 1;
    torch::manual_seed(0);
    nn::Vit teacher(test::tiny_config());
    if (dynamic) {
      method = nn::dynamic_vit_method(
          nn::DynamicVit(test::tiny_config(), std::vector<int>{1, 2}, 0.1), teacher);
    } else {
      method = nn::dense_method(nn::Vit(test::tiny_config(), 0.1), teacher);
    }
    options.epochs = 3;
    options.warmup_epochs = 1;
    options.rates.base = 3e-3;
    options.ema = 0.9;
    options.log_every = 2;
    options.save_every = 4;
    options.accumulate = 2;
    options.bf16 = false;
    options.fingerprint = "test";
  }

  nn::TrainResult run(const fs::path& out, int64_t stop_after = 0) {
    options.stop_after = stop_after;
    const auto train = std::make_shared<ImageLoader>(data, preprocessing, loader);
    const auto held_out = std::make_shared<ImageLoader>(data, preprocessing, evaluation_options(8));
    return nn::train(*method, *nn::batches_of(train), *nn::batches_of(held_out), options, out,
                     [&](int64_t, double) { ++saved; });
  }

  TempFolder folder;
  ImageDataset data;
  Preprocessing preprocessing;
  LoaderOptions loader;
  nn::TrainOptions options;
  std::unique_ptr<nn::Method> method;
  int saved = 0;
};

}  // namespace

TEST_CASE("a run that was stopped ends as one that was not", "[nn][trainer]") {
  const bool dynamic = GENERATE(false, true);
  TempFolder folder;
  Setup whole(dynamic), parts(dynamic);
  const auto expected = whole.run(folder.path() / "whole");
  CHECK(expected.finished);
  CHECK(expected.best_epoch >= 0);
  CHECK(whole.saved > 0);
  CHECK_FALSE(parts.run(folder.path() / "parts", 2).finished);
  {  // a log that is ahead of its checkpoint, as after a crash, with half a line
    std::ofstream log(folder.path() / "parts" / "metrics.jsonl", std::ios::app);
    log << "{\"step\":4,\"loss\":1}\n{\"step\":6,\"lo";
  }
  Setup fresh(dynamic);  // a new process has new random weights until it resumes
  test::randomize(fresh.method->network(), 99);
  fresh.run(folder.path() / "parts", 6);
  const auto result = fresh.run(folder.path() / "parts");
  CHECK(result.finished);
  CHECK(result.best_epoch == expected.best_epoch);
  CHECK(result.best_accuracy == expected.best_accuracy);
  CHECK(read_text_file(folder.path() / "parts" / "metrics.jsonl", 1 << 20) ==
        read_text_file(folder.path() / "whole" / "metrics.jsonl", 1 << 20));
  const auto weights = whole.method->network().named_parameters();
  for (const auto& item : fresh.method->network().named_parameters()) {
    INFO(item.key());
    CHECK(test::difference(item.value(), weights[item.key()]) == 0);
  }
}

TEST_CASE("the last epoch is kept where it is asked for, across a stop", "[nn][trainer]") {
  TempFolder folder;
  Setup best(false), last(false);
  const auto by_accuracy = best.run(folder.path() / "best");
  last.options.last_epoch = true;
  CHECK(last.run(folder.path() / "last", 2).best_epoch == -1);
  CHECK(last.saved == 0);
  const auto result = last.run(folder.path() / "last");
  CHECK(result.best_epoch == last.options.epochs - 1);
  CHECK(result.best_accuracy <= by_accuracy.best_accuracy);
  CHECK(last.saved > 0);
  CHECK(last.saved <= 2);  // weights, and their average where that is better
}

TEST_CASE("training learns", "[nn][trainer]") {
  TempFolder folder;
  Setup setup(false);
  setup.options.epochs = 12;
  setup.loader.augmentation.reset();
  setup.loader.mixing->mixup_alpha = setup.loader.mixing->cutmix_alpha = 0;
  CHECK(setup.run(folder.path()).best_accuracy > 0.9);
}

TEST_CASE("frozen epochs change predictors alone, and frozen embeddings never change",
          "[nn][trainer]") {
  TempFolder folder;
  Setup setup(true);
  setup.options.ema = 0;
  setup.options.rates.frozen_epochs = 2;
  setup.options.rates.freeze_embeddings = true;
  std::map<std::string, torch::Tensor> before;
  for (const auto& item : setup.method->network().named_parameters()) {
    before[item.key()] = item.value().detach().clone();
  }
  const auto changed = [&](const std::string& name) {
    return test::difference(setup.method->network().named_parameters()[name], before.at(name)) > 0;
  };
  setup.run(folder.path(), 6);  // two epochs of three steps
  for (const auto& [name, value] : before) {
    INFO(name);
    CHECK(changed(name) == name.starts_with("score_predictor."));
  }
  setup.run(folder.path());
  CHECK(changed("blocks.0.attn.qkv.weight"));
  CHECK(changed("head.weight"));
  CHECK_FALSE(changed("cls_token"));
  CHECK_FALSE(changed("pos_embed"));
}

TEST_CASE("a checkpoint that does not say where it stands is refused", "[nn][trainer][errors]") {
  TempFolder folder;
  Setup setup(false);
  setup.run(folder.path(), 2);
  const auto path = folder.path() / "checkpoint.safetensors";
  for (const char* step : {"", "two", "-1", "1000"}) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    std::map<std::string, torch::Tensor> tensors;
    for (const auto& name : file.names()) {
      tensors[name] = torch::tensor(file.read_f32(name)).view(file.info(name).shape);
    }
    nn::save_checkpoint(folder.path() / "other.safetensors", {tensors,
                                                              {{"fingerprint", "test"},
                                                               {"step", step},
                                                               {"best_epoch", "0"},
                                                               {"best_accuracy", "0"},
                                                               {"best_is_ema", "0"}}});
    fs::rename(folder.path() / "other.safetensors", path);
    CHECK_THROWS_WITH(setup.run(folder.path()), Catch::Contains("remove it"));
  }
}

TEST_CASE("a checkpoint of another run is not overwritten", "[nn][trainer][errors]") {
  TempFolder folder;
  Setup setup(false);
  setup.run(folder.path(), 2);
  setup.options.fingerprint = "another";
  CHECK_THROWS_WITH(setup.run(folder.path()), Catch::Contains("other settings"));
}

TEST_CASE("a loss that is not finite stops the run", "[nn][trainer][errors]") {
  TempFolder folder;
  Setup setup(false);
  torch::NoGradGuard guard;
  setup.method->network().parameters()[0].fill_(std::numeric_limits<float>::quiet_NaN());
  torch::AutoGradMode enabled(true);
  CHECK_THROWS_WITH(setup.run(folder.path()), Catch::Contains("loss"));
}

TEST_CASE("options out of range are refused", "[nn][trainer][errors]") {
  TempFolder folder;
  const auto refused = [&](auto change) {
    Setup setup(false);
    change(setup.options);
    CHECK_THROWS_AS(setup.run(folder.path(), setup.options.stop_after), std::invalid_argument);
  };
  refused([](auto& o) { o.epochs = 0; });
  refused([](auto& o) { o.log_every = 0; });
  refused([](auto& o) { o.save_every = 3; });
  refused([](auto& o) { o.stop_after = 1; });
  refused([](auto& o) { o.stop_after = -2; });
  refused([](auto& o) { o.clip_norm = -1; });
  refused([](auto& o) { o.ema = -1; });
  refused([](auto& o) { o.final_rate = 1; });
  refused([](auto& o) { o.warmup_epochs = 4; });
  refused([](auto& o) { o.accumulate = 100; });
}

TEST_CASE("tokens are compared by second heads where both networks have one", "[nn][method]") {
  VitConfig config = test::tiny_config();
  config.aux_head = true;
  nn::DynamicVit student(config, std::vector<int>{1, 2});
  nn::Vit teacher(config);
  test::randomize(*student, 1);
  test::randomize(*teacher, 2);
  student->train();
  const torch::Tensor pixels = torch::randn({2, 3, 16, 16});
  const torch::Tensor targets = torch::softmax(torch::randn({2, 3}), -1);

  torch::manual_seed(5);
  const nn::DynamicOutput output = student->forward_masked(pixels, {}, 1e-6);
  const torch::Tensor theirs = teacher->features(pixels).slice(1, config.num_prefix_tokens());
  const double expected =
      nn::token_distillation_loss(student->token_logits(output.tokens),
                                  teacher->token_logits(theirs), output.decisions.back())
          .item<double>();
  torch::manual_seed(5);
  const auto method = nn::dynamic_vit_method(student, teacher);
  std::map<std::string, double> terms;
  for (const auto& [name, value] : method->loss(pixels, targets).terms) {
    terms[name] = value.item<double>();
  }
  REQUIRE(terms.contains("tokens"));
  CHECK(terms["tokens"] == Approx(expected));
  // The labels are compared with the class token's head alone.
  const torch::Tensor by_class_token = student->class_logits(output.tokens.new_zeros({2, 17, 16}));
  CHECK(by_class_token.sizes() == torch::IntArrayRef({2, 3}));
  CHECK(terms["classification"] ==
        Approx(nn::soft_cross_entropy(output.class_logits, targets).item<double>()));
  CHECK(terms["classification"] !=
        Approx(nn::soft_cross_entropy(output.logits, targets).item<double>()));

  VitConfig wide = config;
  wide.embed_dim = 32;
  wide.num_heads.assign(4, 4);
  CHECK_NOTHROW(nn::dynamic_vit_method(student, nn::Vit(wide)));
  wide.aux_head = false;
  CHECK_THROWS_WITH(nn::dynamic_vit_method(student, nn::Vit(wide)),
                    Catch::Contains("set the weight of tokens to 0"));
}

TEST_CASE("a drawn rate keeps exactly its share, and probabilities stay at keep",
          "[nn][method][keep_range]") {
  const VitConfig config = test::tiny_config();
  nn::DynamicVit network(config, std::vector<int>{1, 2});
  test::randomize(*network, 1);
  network->train();
  const torch::Tensor pixels = torch::randn({3, 3, 16, 16});
  const torch::Tensor targets = torch::softmax(torch::randn({3, 3}), -1);
  nn::DynamicVitOptions options;
  options.keep = 0.7;
  options.keep_range = {0.3, 0.9};
  const auto method = nn::dynamic_vit_method(network, nullptr, options);
  std::set<double> shares;
  for (const int seed : {1, 2, 3}) {
    torch::manual_seed(seed);
    const double rho = 0.3 + 0.6 * torch::rand({1}).item<double>();
    nn::DynamicDecisions decisions;
    decisions.keep = nn::keep_rates(rho, 2);
    const nn::DynamicOutput output = network->forward_masked(pixels, decisions, options.eps);
    torch::manual_seed(seed);
    std::map<std::string, double> terms;
    for (const auto& [name, value] : method->loss(pixels, targets).terms) {
      terms[name] = value.item<double>();
    }
    // 16 patches: floor(16 rho) and floor(16 rho^2) of each picture, none by chance.
    CHECK(terms["kept.0"] == Approx(std::floor(16 * rho) / 16));
    CHECK(terms["kept.1"] == Approx(std::floor(16 * rho * rho) / 16));
    double ratio = 0;
    for (const torch::Tensor& mean : output.probabilities) {
      ratio += (mean - 0.7).square().mean().item<double>() / 2;
    }
    CHECK(terms["ratio"] == Approx(ratio));
    shares.insert(terms["kept.0"]);
  }
  CHECK(shares.size() > 1);
}

TEST_CASE("methods refuse a teacher or numbers that do not fit", "[nn][method][errors]") {
  const VitConfig config = test::tiny_config();
  VitConfig other = config;
  other.num_classes = 5;
  CHECK_THROWS_WITH(nn::dense_method(nn::Vit(config), nn::Vit(other)),
                    Catch::Contains("[teacher]"));
  other = config;
  other.embed_dim = 8;
  other.head_dim = 4;
  CHECK_THROWS_WITH(nn::dense_method(nn::Vit(config), nn::Vit(other)), Catch::Contains("tokens"));
  CHECK_NOTHROW(nn::dense_method(nn::Vit(config), nn::Vit(other), {0.5, 0}));
  CHECK_THROWS_AS(nn::dense_method(nn::Vit(config), nullptr, {-1, 0}), std::invalid_argument);
  const auto refused = [&](nn::DynamicVitOptions options) {
    CHECK_THROWS_WITH(
        nn::dynamic_vit_method(nn::DynamicVit(config, std::vector<int>{1}), nullptr, options),
        Catch::Contains("[dynamicvit]"));
  };
  nn::DynamicVitOptions options;
  options.keep = 0;
  refused(options);
  options.keep = 0.7;
  options.keep_range = {0.5};
  refused(options);
  options.keep_range = {0.9, 0.5};
  refused(options);
  options.keep_range.clear();
  options.ratio_weight = -1;
  refused(options);
}

TEST_CASE("a checkpoint comes back bit for bit or not at all", "[nn][checkpoint]") {
  TempFolder folder;
  const fs::path path = folder.path() / "c.safetensors";
  const torch::Tensor weight = torch::randn({3, 2}), step = torch::tensor(5.0f);
  nn::save_checkpoint(path, {{{"w", weight}, {"t", step}}, {{"fingerprint", "f"}, {"step", "5"}}});
  torch::Tensor back = torch::zeros({3, 2}), back_step = torch::zeros({});
  const auto words = nn::load_checkpoint(path, {{"w", back}, {"t", back_step}}, "f");
  REQUIRE(words);
  CHECK(words->at("step") == "5");
  CHECK(test::difference(back, weight) == 0);
  CHECK(back_step.item<float>() == 5);
  CHECK_FALSE(nn::load_checkpoint(folder.path() / "none", {}, "f"));
  CHECK_THROWS_WITH(nn::load_checkpoint(path, {{"w", torch::zeros({2, 3})}}, "f"),
                    Catch::Contains("shape"));
  CHECK_THROWS_AS(nn::load_checkpoint(path, {{"x", torch::zeros({2})}}, "f"), std::runtime_error);
  CHECK_THROWS_AS(nn::load_checkpoint(path, {}, "g"), std::runtime_error);
}

TEST_CASE("the log keeps whole lines up to the checkpoint", "[nn][metrics_log]") {
  TempFolder folder;
  const fs::path path = folder.path() / "log.jsonl";
  {
    nn::MetricsLog log(path, 0);
    log.write(2, {{"loss", 0.5}});
    log.write(4, {{"loss", std::numeric_limits<double>::infinity()}});
    log.write(6, {{"loss", 0.25}});
  }
  std::ofstream(path, std::ios::app) << "rubbish\n{\"step\":1,\"x";
  nn::MetricsLog again(path, 4);
  CHECK(read_text_file(path, 1000) == "{\"step\":2,\"loss\":0.5}\n{\"step\":4,\"loss\":null}\n");
  CHECK_THROWS_AS(nn::MetricsLog(folder.path() / "no" / "such", 0), std::runtime_error);
}
