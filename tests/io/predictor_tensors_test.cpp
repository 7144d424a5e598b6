#include "tokensieve/io/predictor_tensors.h"

#include <functional>

#include "model_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;

namespace {

/// A saved model with two predictors, to be opened again.
struct SieveFixture {
  TempFolder folder;
  Shapes shapes = predictor_tensors(2, tiny_vit().embed_dim);

  ModelFolder open() const {
    if (!std::filesystem::exists(folder / "model")) {
      save_model_folder(model_of(tiny_vit()), folder / "model");
    }
    write_tensors(folder / "model/sieve.safetensors", shapes);
    return open_model_folder(folder / "model");
  }
};

/// Opens the folder after `change` of its predictors and expects a runtime_error that names the
/// file and says `message`.
void check_refused(const std::function<void(Shapes&)>& change, const std::string& message) {
  SieveFixture fixture;
  change(fixture.shapes);
  CHECK_THROWS_AS(fixture.open(), std::runtime_error);
  CHECK_THROWS_WITH(fixture.open(), Contains("sieve.safetensors") && Contains(message));
}

std::shared_ptr<MemoryWeights> memory_of(const Shapes& shapes) {
  auto weights = std::make_shared<MemoryWeights>();
  for (const auto& [name, shape] : shapes) {
    weights->set(name, shape, values_of(name, count_of(shape)));
  }
  return weights;
}

}  // namespace

TEST_CASE("Predictors are named as DynamicViT names them", "[io][predictor_tensors]") {
  const Shapes expected = {{"score_predictor.0.in_conv.0.bias", {384}},
                           {"score_predictor.0.in_conv.0.weight", {384}},
                           {"score_predictor.0.in_conv.1.bias", {384}},
                           {"score_predictor.0.in_conv.1.weight", {384, 384}},
                           {"score_predictor.0.out_conv.0.bias", {192}},
                           {"score_predictor.0.out_conv.0.weight", {192, 384}},
                           {"score_predictor.0.out_conv.2.bias", {96}},
                           {"score_predictor.0.out_conv.2.weight", {96, 192}},
                           {"score_predictor.0.out_conv.4.bias", {2}},
                           {"score_predictor.0.out_conv.4.weight", {2, 96}}};
  CHECK(predictor_tensors(1, 384) == expected);
}

TEST_CASE("Three predictors make DeiT-S a network of 22,774,414 parameters",
          "[io][predictor_tensors]") {
  const auto parameters = [](const Shapes& shapes) {
    std::int64_t count = 0;
    for (const auto& [name, shape] : shapes) count += count_of(shape);
    return count;
  };
  CHECK(parameters(predictor_tensors(1, 384)) == 241250);
  CHECK(parameters(predictor_tensors(1, 768)) == 961730);
  CHECK(parameters(predictor_tensors(1, 256)) == 107586);
  CHECK(parameters(predictor_tensors(1, 192)) == 60722);
  CHECK(parameters(predictor_tensors(1, 512)) == 428162);
  CHECK(parameters(vit_tensors(VitConfig())) + parameters(predictor_tensors(3, 384)) == 22774414);
}

TEST_CASE("A folder with sieve.safetensors has predictors, others have none",
          "[io][model_folder]") {
  const SieveFixture fixture;
  const ModelFolder model = fixture.open();
  REQUIRE(model.sieve != nullptr);
  CHECK(count_predictors(model.vit, *model.sieve, "here") == 2);
  check_same_weights(*model.sieve, *memory_of(fixture.shapes));
  std::filesystem::remove(fixture.folder / "model/sieve.safetensors");
  CHECK(open_model_folder(fixture.folder / "model").sieve == nullptr);
}

TEST_CASE("Predictors are saved with their model", "[io][model_folder]") {
  const DType dtype = GENERATE(DType::F32, DType::BF16);
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  model.sieve = memory_of(predictor_tensors(2, 8));
  save_model_folder(model, folder / "saved", dtype);
  const ModelFolder found = open_model_folder(folder / "saved");
  REQUIRE(found.sieve != nullptr);
  check_same_weights(*found.sieve, *model.sieve);  // values that bf16 holds
  const auto file = SafetensorsFile::open(folder / "saved/sieve.safetensors");
  CHECK(file.info("score_predictor.1.in_conv.1.bias").dtype == dtype);
}

TEST_CASE("Predictors that do not hold together are not saved", "[io][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  const auto refused = [&](const Shapes& shapes, const char* message) {
    model.sieve = memory_of(shapes);
    CHECK_THROWS_WITH(save_model_folder(model, folder / "saved"),
                      Contains("the predictors to save") && Contains(message));
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  refused({}, "got no tensors");
  refused(predictor_tensors(2, 16), "of shape [8], got [16]");
  refused(predictor_tensors(3, 8), "2 blocks at most");
}

TEST_CASE("Predictors that do not fit the network are refused", "[io][model_folder][errors]") {
  check_refused([](Shapes& shapes) { shapes.clear(); }, "expected predictors, got no tensors");
  check_refused([](Shapes& shapes) { shapes = predictor_tensors(2, 12); },
                "of shape [8], got [12]");
  check_refused([](Shapes& shapes) { shapes.erase("score_predictor.1.out_conv.2.bias"); },
                "expected a tensor 'score_predictor.1.out_conv.2.bias', got none");
  check_refused(
      [](Shapes& shapes) {
        shapes["score_predictor.0.out_conv.4.weight"] = {3, 2};
      },
      "of shape [2, 2], got [3, 2]");
  check_refused([](Shapes& shapes) { shapes = predictor_tensors(3, 8); }, "2 blocks at most");
  // A gap is a predictor that is missing.
  check_refused(
      [](Shapes& shapes) {
        std::erase_if(shapes, [](const auto& entry) {
          return entry.first.starts_with("score_predictor.0.");
        });
      },
      "expected a tensor 'score_predictor.0.in_conv.0.bias', got none");
  for (const char* name : {"head.bias", "score_predictor.x.in_conv.0.bias", "score_predictor.0",
                           "score_predictor.-1.in_conv.0.bias", "score_predictor.", "",
                           "score_predictor.99999999999.in_conv.0.bias"}) {
    CAPTURE(name);
    check_refused([&](Shapes& shapes) { shapes[name] = {8}; }, "expected only predictors");
  }
  for (const char* name : {"score_predictor.00.in_conv.0.bias", "score_predictor.0.out_conv.1.bias",
                           "score_predictor.0.keep_threshold"}) {
    CAPTURE(name);
    check_refused([&](Shapes& shapes) { shapes[name] = {8}; }, "expected layers in_conv.0");
  }
}

TEST_CASE("A predictor of a width that has no quarter is refused", "[io][predictor_tensors]") {
  VitConfig config = tiny_vit();
  config.embed_dim = 6;
  CHECK_THROWS_WITH(count_predictors(config, *memory_of(predictor_tensors(1, 6)), "file"),
                    Contains("multiple of 4, got 6"));
}

TEST_CASE("A file of predictors that is no safetensors file is refused", "[io][model_folder]") {
  const SieveFixture fixture;
  fixture.open();
  const auto path = fixture.folder / "model/sieve.safetensors";
  const std::string good = read_text_file(path, 1 << 20);
  const std::string text = GENERATE_COPY(std::string(), std::string("{}"), good.substr(0, 100),
                                         good.substr(0, good.size() - 1), good + "x");
  write_text_file(path, text);
  CHECK_THROWS_AS(open_model_folder(fixture.folder / "model"), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(fixture.folder / "model"), Contains("sieve.safetensors"));
}

TEST_CASE("Predictors of whole numbers are refused", "[io][model_folder]") {
  const SieveFixture fixture;
  fixture.open();
  const std::vector<std::int32_t> values(8);
  const TensorData tensor{
      "score_predictor.0.in_conv.0.bias", DType::I32, {8}, std::as_bytes(std::span(values))};
  write_safetensors(fixture.folder / "model/sieve.safetensors", std::span(&tensor, 1));
  CHECK_THROWS_WITH(open_model_folder(fixture.folder / "model"), Contains("got I32"));
}
