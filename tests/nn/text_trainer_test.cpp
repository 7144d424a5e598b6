#include <filesystem>

#include "bert_fixture.h"
#include "temp_folder.h"
#include "tokensieve/data/random.h"
#include "tokensieve/io/file.h"
#include "tokensieve/nn/text_method.h"
#include "tokensieve/nn/trainer.h"

using namespace tokensieve;

namespace {

/// Texts whose class is the one of the words 5, 6 and 7 that they have.
std::vector<TokenSample> easy_texts(int count) {
  std::vector<TokenSample> samples;
  Random random(1);
  for (int i = 0; i < count; ++i) {
    TokenSample sample;
    sample.label = i % 3;
    sample.ids = {2};
    const auto words = 3 + random.below(10);
    for (uint32_t w = 0; w < words; ++w) {
      sample.ids.push_back(static_cast<int32_t>(8 + random.below(10)));
    }
    sample.ids[1 + random.below(words)] = 5 + sample.label;
    sample.ids.push_back(3);
    sample.types.assign(sample.ids.size(), 0);
    samples.push_back(std::move(sample));
  }
  return samples;
}

enum class Kind { dense, ltp, pyramid, cascade, pabee, adapler, top };

std::unique_ptr<nn::Method> method_of(Kind kind) {
  BertConfig config = test::tiny_bert_config();
  config.exits = kind == Kind::pyramid || kind == Kind::pabee;
  config.contributions = kind == Kind::adapler;
  const nn::Bert teacher(test::tiny_bert_config());
  const auto thresholds = rising_thresholds(0.08, config.depth() - 1);
  nn::MagicPyramidOptions pyramid;
  pyramid.ltp.temperature = 1e-2;
  nn::TopOptions top;
  top.target_epochs = 2;
  switch (kind) {
    case Kind::dense:
      return nn::dense_method(nn::Bert(config, 0.1), teacher);
    case Kind::ltp:
      return nn::ltp_method(nn::LtpBert(config, thresholds, int64_t{16}, 0.1), teacher,
                            pyramid.ltp);
    case Kind::pyramid:
      return nn::magic_pyramid_method(nn::LtpBert(config, thresholds, int64_t{16}, 0.1), teacher,
                                      pyramid);
    case Kind::cascade:
      return nn::cascade_method(nn::Bert(config, 0.1), teacher, {.keep = 0.5, .first = 1});
    case Kind::pabee:
      return nn::pabee_method(nn::Bert(config, 0.1), nullptr);
    case Kind::adapler:
      return nn::adapler_method(nn::AdaplerBert(config, 0.1), teacher);
    case Kind::top:
      return nn::top_method(nn::TopBert(config, 1, int64_t{5}, 0.1), teacher, top);
  }
  throw std::logic_error("kind");
}

struct Setup {
  explicit Setup(Kind kind) {
    torch::manual_seed(0);
    method = method_of(kind);
    options.epochs = 4;
    options.warmup_epochs = 1;
    options.rates.base = 3e-3;
    options.ema = 0.9;
    options.log_every = 2;
    options.save_every = 4;
    options.accumulate = 2;
    options.bf16 = false;
    options.fingerprint = "test";
    loader.batch_size = 8;
    loader.seed = 3;
    loader.bucket = 3;
  }

  nn::TrainResult run(const std::filesystem::path& out, int64_t stop_after = 0) {
    options.stop_after = stop_after;
    const auto train = std::make_shared<TextLoader>(easy_texts(96), 3, loader);
    const auto held_out =
        std::make_shared<TextLoader>(easy_texts(96), 3, text_evaluation_options(8));
    return nn::train(*method, *nn::batches_of(train), *nn::batches_of(held_out), options, out,
                     [&](int64_t epoch, double) { saved.push_back(epoch); });
  }

  nn::TrainOptions options;
  TextLoaderOptions loader;
  std::unique_ptr<nn::Method> method;
  std::vector<int64_t> saved;
};

}  // namespace

TEST_CASE("a run on texts that was stopped ends as one that was not", "[nn][trainer][text]") {
  const Kind kind = GENERATE(Kind::dense, Kind::ltp, Kind::pyramid, Kind::cascade, Kind::pabee,
                             Kind::adapler, Kind::top);
  TempFolder folder;
  Setup whole(kind), parts(kind);
  const auto expected = whole.run(folder.path() / "whole");
  CHECK(expected.finished);
  CHECK_FALSE(parts.run(folder.path() / "parts", 2).finished);
  Setup fresh(kind);  // a new process has new random weights until it resumes
  test::randomize(fresh.method->network(), 99);
  fresh.run(folder.path() / "parts", 14);
  const auto result = fresh.run(folder.path() / "parts");
  CHECK(result.finished);
  CHECK(result.best_epoch == expected.best_epoch);
  CHECK(result.best_accuracy == expected.best_accuracy);
  CHECK(read_text_file(folder.path() / "parts" / "metrics.jsonl", 1 << 20) ==
        read_text_file(folder.path() / "whole" / "metrics.jsonl", 1 << 20));
  const auto weights = whole.method->network().named_parameters();
  for (const auto& item : fresh.method->network().named_parameters()) {
    INFO(static_cast<int>(kind) << " " << item.key());
    CHECK(test::difference(item.value(), weights[item.key()]) == 0);
  }
}

TEST_CASE("training on texts learns, in bfloat16, too", "[nn][trainer][text]") {
  TempFolder folder;
  Setup setup(Kind::dense);
  nn::Bert network(test::tiny_bert_config());
  {  // so small a network would take long to leave a std of 0.02
    torch::NoGradGuard guard;
    for (torch::Tensor& parameter : network->parameters()) {
      if (parameter.dim() > 1) parameter.mul_(10.0);
    }
  }
  setup.method = nn::dense_method(network, nullptr);
  setup.options.epochs = 30;
  setup.options.accumulate = 1;
  setup.options.bf16 = GENERATE(false, true);
  CHECK(setup.run(folder.path()).best_accuracy > 0.9);
}

TEST_CASE("the best epoch is one of a method's last stage", "[nn][trainer][text]") {
  TempFolder folder;
  Setup ltp(Kind::ltp);
  ltp.run(folder.path() / "ltp");
  REQUIRE_FALSE(ltp.saved.empty());
  CHECK(ltp.saved.front() == 1);  // the first epoch is soft
  // The rate has a schedule for each stage: at the end of a warm-up, and at the start of the next.
  const std::string log = read_text_file(folder / "ltp" / "metrics.jsonl", 1 << 20);
  CHECK_THAT(log, Catch::Contains("\"step\":6,\"epoch\":0,\"learning_rate\":0.003,"));
  CHECK_THAT(log, Catch::Contains("\"step\":8,\"epoch\":1,\"learning_rate\":0.0006,"));
  Setup pyramid(Kind::pyramid);
  pyramid.run(folder.path() / "pyramid");
  REQUIRE_FALSE(pyramid.saved.empty());
  CHECK(pyramid.saved.front() == 2);
  Setup unfinished(Kind::ltp);
  unfinished.options.epochs = 1;
  CHECK_THROWS_WITH(unfinished.run(folder.path() / "short"),
                    Catch::Contains("expected more epochs than 1"));
}

TEST_CASE("tables of a text network can stand still, and blocks learn at rates of their own",
          "[nn][parameter_groups][text]") {
  nn::Bert network = test::random_bert(1);
  nn::LearningRates rates;
  rates.layer_decay = 0.5;
  rates.head = 1e-3;
  rates.freeze_embeddings = true;
  std::map<std::string, double> scales;
  for (const auto& group : nn::parameter_groups(*network, rates)) {
    for (const auto& name : group.names) scales[name] = group.scale * nn::peak_rate(rates);
  }
  CHECK_FALSE(scales.contains("bert.embeddings.word_embeddings.weight"));
  CHECK_FALSE(scales.contains("bert.embeddings.position_embeddings.weight"));
  CHECK(scales.at("bert.embeddings.LayerNorm.weight") == Approx(1e-4 / 16));
  CHECK(scales.at("bert.encoder.layer.0.output.dense.weight") == Approx(1e-4 / 8));
  CHECK(scales.at("bert.encoder.layer.3.output.dense.weight") == Approx(1e-4));
  CHECK(scales.at("bert.pooler.dense.weight") == Approx(1e-4));
  CHECK(scales.at("classifier.weight") == Approx(1e-3));
}
