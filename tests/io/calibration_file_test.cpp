#include "tokensieve/io/calibration_file.h"

#include "timm_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

namespace {

Calibration staircase(const std::string& recipe = "evit(keep=0.7)") {
  Calibration calibration;
  calibration.recipe = recipe;
  calibration.samples = 1000;
  calibration.dense_macs = 2.26e9;
  calibration.dense_correct = 968;
  calibration.steps = {{0.9, 1.99e9, 999, 967}, {0.7, 1.47e9, 995, 960}};
  calibration.latencies = {{{"A processor", 2, "f32"}, {10, 9, 12}, {{9, 8, 11}, {7, 6.5, 7.25}}}};
  return calibration;
}

Calibration without_labels(Calibration calibration) {
  calibration.dense_correct.reset();
  for (CalibrationStep& step : calibration.steps) step.correct.reset();
  calibration.latencies.clear();
  return calibration;
}

std::string sieve_of(const std::filesystem::path& folder) {
  return read_text_file(folder / "sieve.json", 1 << 20);
}

/// Opens a folder whose sieve.json has the staircase after `change`, and expects a refusal.
void check_refused_calibration(const std::string& pointer, const json& value,
                               const std::string& message) {
  CAPTURE(pointer, value.dump());
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  json sieve = {{"calibrations", {json::parse(calibration_json(staircase()))}}};
  write_text_file(folder / "sieve.json", sieve.dump());
  CHECK(open_model_folder(folder).calibrations.size() == 1);
  sieve[json::json_pointer(pointer)] = value;
  write_text_file(folder / "sieve.json", sieve.dump());
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(folder),
                    Contains("[model_folder] ") && Contains("sieve.json") && Contains(message));
}

}  // namespace

TEST_CASE("A calibration saved into a folder is read as it was", "[io][calibration]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  const Calibration calibration = GENERATE(staircase(), without_labels(staircase()));
  save_calibration(calibration, folder);
  const ModelFolder found = open_model_folder(folder);
  CHECK(found.recipe == "dense");
  REQUIRE(found.calibrations.size() == 1);
  CHECK(found.calibrations[0] == calibration);
}

TEST_CASE("A calibration takes the place of that of the same recipe, and of no other",
          "[io][calibration]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  save_calibration(staircase("evit(keep=0.7)"), folder);
  save_calibration(staircase("sait(keep=0.5)"), folder);
  Calibration newer = without_labels(staircase("evit(keep=0.2)"));
  save_calibration(newer, folder);
  const auto found = open_model_folder(folder).calibrations;
  REQUIRE(found.size() == 2);
  CHECK(found[0] == newer);
  CHECK(found[1] == staircase("sait(keep=0.5)"));
}

TEST_CASE("What else is in sieve.json stays when a calibration is saved", "[io][calibration]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  write_text_file(
      folder / "sieve.json",
      R"json({"recipe": "evit(keep=0.5)", "provenance": {"zoo": [1, 2.5], "ant": {}}})json");
  save_calibration(staircase(), folder);
  const ModelFolder found = open_model_folder(folder);
  CHECK(found.recipe == "evit(keep=0.5)");
  CHECK(json::parse(found.provenance) == json{{"zoo", {1, 2.5}}, {"ant", json::object()}});
  const std::string text = sieve_of(folder);
  CHECK(text.find("zoo") < text.find("ant"));  // the order of the file
}

TEST_CASE("A saved folder keeps its calibrations", "[io][calibration][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  model.calibrations = {staircase(), without_labels(staircase("sait(keep=0.5)"))};
  CHECK(save_model_folder(model, folder / "saved"));
  CHECK(open_model_folder(folder / "saved").calibrations == model.calibrations);
  model.calibrations[0].samples = 0;
  CHECK_THROWS_AS(save_model_folder(model, folder / "no"), std::invalid_argument);
  model.calibrations = {staircase(), staircase("evit(keep=0.1)")};
  CHECK_THROWS_WITH(save_model_folder(model, folder / "no"), Contains("got two"));
  CHECK_FALSE(std::filesystem::exists(folder / "no"));
}

TEST_CASE("Rounded weights lose the calibrations, others do not",
          "[io][calibration][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  auto weights =
      std::make_shared<MemoryWeights>(dynamic_cast<const MemoryWeights&>(*model.weights));
  weights->set("head.bias", {3}, {0.1f, 0.0f, 0.0f});
  model.weights = weights;
  model.calibrations = {staircase()};
  CHECK_FALSE(save_model_folder(model, folder / "rounded", DType::BF16));
  ModelFolder rounded = open_model_folder(folder / "rounded");
  CHECK(rounded.calibrations.empty());
  rounded.calibrations = {staircase()};
  CHECK(save_model_folder(rounded, folder / "again", DType::BF16));
  CHECK(open_model_folder(folder / "again").calibrations == rounded.calibrations);
}

TEST_CASE("A calibration that does not fit leaves the file as it was", "[io][calibration]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  save_calibration(staircase(), folder);
  const std::string before = sieve_of(folder);
  Calibration bad = staircase();
  bad.steps[0].agreed = 1001;
  CHECK_THROWS_AS(save_calibration(bad, folder), std::invalid_argument);
  CHECK(sieve_of(folder) == before);
  CHECK_THROWS_AS(save_calibration(staircase(), folder / "none"), std::runtime_error);
  SECTION("nor does one into a file that does not open") {
    write_text_file(folder / "sieve.json", R"({"recipe": 1})");
    CHECK_THROWS_WITH(save_calibration(staircase(), folder), Contains("'recipe' to be a string"));
    CHECK(sieve_of(folder) == R"({"recipe": 1})");
  }
  SECTION("nor does the one that is one too many") {
    for (int i = 0; i < 15; ++i) {
      save_calibration(staircase("random(keep=0.5, seed=" + std::to_string(i) + ")"), folder);
    }
    const std::string full = sieve_of(folder);
    CHECK_THROWS_WITH(save_calibration(staircase("random(keep=0.5, seed=15)"), folder),
                      Contains("a list of at most 16 objects"));
    CHECK(sieve_of(folder) == full);
  }
}

TEST_CASE("Calibrations of the wrong kind or size are refused by name", "[io][calibration]") {
  const std::string first = "/calibrations/0";
  check_refused_calibration("/calibrations", 1, "'calibrations' to be a list of at most 16");
  check_refused_calibration("/calibrations", json::array({1}), "an object in 'calibrations[0]'");
  check_refused_calibration("/calibrations", json(17, json::object()), "at most 16 objects");
  check_refused_calibration("/calibration", 1, "get a newer tokensieve");
  check_refused_calibration("/calibrations/1", json::parse(calibration_json(staircase())),
                            "expected one calibration of 'evit(keep=0.7)', got two");
  check_refused_calibration(first + "/when", 1, "'calibrations[0].when' to be absent");
  check_refused_calibration(first + "/recipe", 1, "'calibrations[0].recipe' to be a string");
  check_refused_calibration(first + "/recipe", "", "a recipe of 1 to 4096 bytes");
  check_refused_calibration(first + "/recipe", std::string(5000, 'e'), "a recipe of 1 to 4096");
  check_refused_calibration(first + "/recipe", "evti", "did you mean 'evit'");
  check_refused_calibration(first + "/recipe", "dense", "a recipe with a density");
  check_refused_calibration(first + "/samples", 0, "[calibration] expected 1 to");
  check_refused_calibration(first + "/samples", 1e300, "'calibrations[0].samples'");
  check_refused_calibration(first + "/samples", 10.5, "'calibrations[0].samples'");
  check_refused_calibration(first + "/samples", 18446744073709551615u, "an integer in");
  check_refused_calibration(first + "/dense", nullptr, "'calibrations[0].dense' to be an object");
  check_refused_calibration(first + "/dense/macs", "many", "'calibrations[0].dense.macs'");
  check_refused_calibration(first + "/dense/macs", 0, "mean MACs above 0");
  check_refused_calibration(first + "/dense/ms", 1, "'calibrations[0].dense.ms' to be absent");
  check_refused_calibration(first + "/dense/correct", nullptr, "or of none");
  check_refused_calibration(first + "/steps", json::array(), "expected 1 to 1000 steps");
  check_refused_calibration(first + "/steps", json(1001, json::object()), "at most 1000 objects");
  check_refused_calibration(first + "/steps/0/density", 1e19, "'calibrations[0].steps[0].density'");
  check_refused_calibration(first + "/steps/0/density", 1.5, "(0, 1], got 1.5");
  check_refused_calibration(first + "/steps/0/macs", 1e9, "order of falling MACs");
  check_refused_calibration(first + "/steps/0/agreed", 1001, "1000 agreed samples, got 1001");
  check_refused_calibration(first + "/steps/0/agreed", -1, "'calibrations[0].steps[0].agreed'");
  check_refused_calibration(first + "/steps/0/right", 1,
                            "'calibrations[0].steps[0].right' to be absent");
  const std::string latency = first + "/latencies/0";
  check_refused_calibration(first + "/latencies", 1, "'calibrations[0].latencies' to be a list");
  check_refused_calibration(first + "/latencies", json(101, json::object()), "at most 100");
  check_refused_calibration(latency + "/cpu", 1,
                            "calibrations[0].latencies[0].cpu' to be a string");
  check_refused_calibration(latency + "/cpu", "\x1b[2J", "printable bytes");
  check_refused_calibration(latency + "/cpu", std::string(201, 'x'), "1 to 200 printable bytes");
  check_refused_calibration(latency + "/threads", 0,
                            "calibrations[0].latencies[0].threads' to be an integer");
  check_refused_calibration(latency + "/gpu", 1, "calibrations[0].latencies[0].gpu' to be absent");
  check_refused_calibration(latency + "/steps/1", nullptr, "expected an object");
  check_refused_calibration(latency + "/steps", json::array(), "2 steps, got 0");
  check_refused_calibration(latency + "/dense/median", -1,
                            "calibrations[0].latencies[0].dense.median'");
  check_refused_calibration(latency + "/dense/median", 1e10,
                            "calibrations[0].latencies[0].dense.median'");
  check_refused_calibration(latency + "/dense/median", 1, "low <= median <= high");
  check_refused_calibration(latency + "/dense/mean", 1,
                            "calibrations[0].latencies[0].dense.mean' to be absent");
}
