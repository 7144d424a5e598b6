#include "model/sieve_json.h"

#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <utility>

#include "json_util.h"
#include "model/json_object.h"
#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr std::size_t kMaxRecipeBytes = 4096;
constexpr std::size_t kMaxCalibrations = 16;
constexpr int kMaxThreads = 1 << 16;

/// Refuses keys that are none of `known`.
void check_keys(const JsonObject& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.json().items()) {
    bool found = false;
    for (const std::string_view word : known) found = found || word == key;
    if (!found)
      object.fail(key, "absent, since this version does not know it; get a newer tokensieve");
  }
}

/// The objects of a list, each made into a value.
template <typename Value>
std::vector<Value> read_list(const JsonObject& object, std::string_view key, std::size_t most,
                             Value (*read)(const JsonObject&)) {
  std::vector<Value> values;
  for (const JsonObject& item : object.objects(key, most)) values.push_back(read(item));
  return values;
}

std::string read_recipe(const JsonObject& object) {
  std::string recipe = object.text("recipe");
  if (recipe.empty() || recipe.size() > kMaxRecipeBytes) {
    object.fail("recipe", cat("a recipe of 1 to ", kMaxRecipeBytes, " bytes"));
  }
  return recipe;
}

double read_macs(const JsonObject& object) {
  return object.number("macs", 0.0, Calibration::kMostMacs);
}

std::int64_t read_count(const JsonObject& object, std::string_view key) {
  return object.integer(key, 0, Calibration::kMaxSamples);
}

std::optional<std::int64_t> read_correct(const JsonObject& object) {
  if (!object.has("correct")) return std::nullopt;
  return read_count(object, "correct");
}

CalibrationStep read_step(const JsonObject& object) {
  check_keys(object, {"density", "macs", "agreed", "correct"});
  constexpr double kMostDensity = 1e18;
  return {object.number("density", -kMostDensity, kMostDensity), read_macs(object),
          read_count(object, "agreed"), read_correct(object)};
}

Latency read_latency(const JsonObject& object) {
  check_keys(object, {"median", "low", "high"});
  const auto milliseconds = [&](std::string_view key) {
    return object.number(key, 0.0, Calibration::kMostMilliseconds);
  };
  return {milliseconds("median"), milliseconds("low"), milliseconds("high")};
}

MachineLatency read_machine(const JsonObject& object) {
  check_keys(object, {"cpu", "threads", "precision", "dense", "steps"});
  const auto threads = static_cast<int>(object.integer("threads", 1, kMaxThreads));
  return {{object.text("cpu"), threads, object.text("precision")},
          read_latency(object.object("dense")),
          read_list(object, "steps", Calibration::kMaxSteps, read_latency)};
}

Calibration read_calibration(const JsonObject& object) {
  check_keys(object, {"recipe", "samples", "dense", "steps", "latencies"});
  const JsonObject dense = object.object("dense");
  check_keys(dense, {"macs", "correct"});
  Calibration calibration;
  calibration.recipe = read_recipe(object);
  calibration.samples = read_count(object, "samples");
  calibration.dense_macs = read_macs(dense);
  calibration.dense_correct = read_correct(dense);
  calibration.steps = read_list(object, "steps", Calibration::kMaxSteps, read_step);
  if (object.has("latencies")) {
    calibration.latencies = read_list(object, "latencies", Calibration::kMaxMachines, read_machine);
  }
  try {
    calibration.validate();
  } catch (const std::invalid_argument& error) {
    fail_runtime("[model_folder] ", object.file(), ": ", error.what());
  }
  return calibration;
}

void check_apart(const std::vector<Calibration>& calibrations, const std::string& file) {
  for (const Calibration& a : calibrations) {
    for (const Calibration& b : calibrations) {
      check_runtime(&a == &b || !a.is_of(Recipe::parse(b.recipe)), "[model_folder] ", file,
                    ": expected one calibration of '", a.recipe, "', got two");
    }
  }
}

nlohmann::ordered_json json_of(const Latency& latency) {
  return {{"median", latency.median}, {"low", latency.low}, {"high", latency.high}};
}

}  // namespace

void read_sieve(std::string_view text, const std::string& file, ModelFolder& model) {
  const nlohmann::json json = parse_json(text, file);
  const JsonObject sieve(json, file);
  check_keys(sieve, {"recipe", "calibrations", "provenance"});
  if (sieve.json().contains("recipe")) model.recipe = read_recipe(sieve);
  if (sieve.json().contains("calibrations")) {
    model.calibrations = read_list(sieve, "calibrations", kMaxCalibrations, read_calibration);
    check_apart(model.calibrations, file);
  }
  if (sieve.json().contains("provenance")) {
    model.provenance = sieve.object("provenance").json().dump();
  }
}

std::string sieve_text(const nlohmann::ordered_json& sieve, const std::string& file) {
  std::string text = sieve.dump(2) + "\n";
  ModelFolder ignored;
  read_sieve(text, file, ignored);
  return text;
}

nlohmann::ordered_json json_of(const Calibration& calibration) {
  using json = nlohmann::ordered_json;
  json dense{{"macs", calibration.dense_macs}};
  if (calibration.dense_correct) dense["correct"] = *calibration.dense_correct;
  json steps = json::array();
  for (const CalibrationStep& step : calibration.steps) {
    json object{{"density", step.density}, {"macs", step.macs}, {"agreed", step.agreed}};
    if (step.correct) object["correct"] = *step.correct;
    steps.push_back(std::move(object));
  }
  json latencies = json::array();
  for (const MachineLatency& latency : calibration.latencies) {
    json of_steps = json::array();
    for (const Latency& step : latency.steps) of_steps.push_back(json_of(step));
    latencies.push_back({{"cpu", latency.machine.cpu},
                         {"threads", latency.machine.threads},
                         {"precision", latency.machine.precision},
                         {"dense", json_of(latency.dense)},
                         {"steps", std::move(of_steps)}});
  }
  return {{"recipe", calibration.recipe},
          {"samples", calibration.samples},
          {"dense", std::move(dense)},
          {"steps", std::move(steps)},
          {"latencies", std::move(latencies)}};
}

}  // namespace tokensieve
