#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "model/measure_vit.h"
#include "model/sieve_json.h"
#include "model/timm_config.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/half.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/predictor_tensors.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/io/vit_tensors.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

/// A folder beside its destination that gets its name when it is complete, and disappears if it
/// never is.
class FolderInProgress {
 public:
  explicit FolderInProgress(fs::path destination) : destination_(std::move(destination)) {
    static std::atomic<unsigned> counter{0};
    std::error_code error;
    do {
      temporary_ = destination_;
      temporary_ += cat(".tmp-", ::getpid(), "-", counter++);
    } while (!fs::create_directory(temporary_, error) && !error);
    check_runtime(!error, "[save_model_folder] cannot create ", temporary_.string(), ": ",
                  error.message());
  }
  FolderInProgress(const FolderInProgress&) = delete;
  FolderInProgress& operator=(const FolderInProgress&) = delete;
  ~FolderInProgress() {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }

  fs::path operator/(const char* name) const { return temporary_ / name; }

  void commit() {
    std::error_code error;
    fs::rename(temporary_, destination_, error);
    check_runtime(!error, "[save_model_folder] cannot create ", destination_.string(), ": ",
                  error.message());
  }

 private:
  fs::path destination_;
  fs::path temporary_;
};

/// A tensor's bytes in the type of the file.
std::vector<std::byte> bytes_of(const std::vector<float>& values, DType dtype) {
  if (dtype == DType::F32) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> bytes(values.size() * sizeof(std::uint16_t));
  std::vector<std::uint16_t> narrow(values.size());
  f32_to_bf16(values, narrow);
  std::ranges::copy(std::as_bytes(std::span(narrow)), bytes.begin());
  return bytes;
}

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

void write_weights(const fs::path& path, const Shapes& shapes, const WeightSource& weights,
                   DType dtype) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorData> tensors;
  for (const auto& [name, shape] : shapes) {
    bytes.push_back(bytes_of(weights.read(name, shape), dtype));
    tensors.push_back({name, dtype, shape, bytes.back()});
  }
  write_safetensors(path, tensors, {{"format", "pt"}});  // without this transformers refuses it
}

void write_json(const fs::path& path, const nlohmann::ordered_json& json) {
  write_text_file(path, json.dump(2) + "\n");
}

void check_savable(const ModelFolder& model, DType dtype) {
  check_argument(dtype == DType::F32 || dtype == DType::BF16,
                 "[save_model_folder] expected F32 or BF16, got ", dtype_name(dtype));
  check_argument(model.weights != nullptr, "[save_model_folder] expected weights, got none");
  model.vit.validate();
  check_preprocessing(model.preprocessing);
  check_argument(model.vit.in_channels == 3,
                 "[save_model_folder] expected a model of 3 channels, got ", model.vit.in_channels);
  check_argument(model.labels.empty() || std::ssize(model.labels) == model.vit.num_classes,
                 "[save_model_folder] expected ", model.vit.num_classes,
                 " labels, one a class, or none, got ", model.labels.size());
  check_tensors(model.vit, *model.weights, "the weights to save");
}

/// Of the predictors to save. Throws when they do not hold together.
Shapes predictor_shapes(const ModelFolder& model) {
  const int count = count_predictors(model.vit, *model.sieve, "the predictors to save");
  return predictor_tensors(count, model.vit.embed_dim);
}

/// The object of sieve.json; empty for a dense model of unknown origin.
nlohmann::ordered_json sieve_of(const ModelFolder& model) {
  nlohmann::ordered_json sieve;
  if (model.recipe != "dense") sieve["recipe"] = model.recipe;
  for (const Calibration& calibration : model.calibrations) {
    calibration.validate();
    sieve["calibrations"].push_back(json_of(calibration));
  }
  if (model.provenance.empty()) return sieve;
  sieve["provenance"] = nlohmann::ordered_json::parse(model.provenance, nullptr, false);
  check_argument(sieve["provenance"].is_object(),
                 "[save_model_folder] expected provenance to be a JSON object, got '",
                 model.provenance.substr(0, 100), "'");
  return sieve;
}

}  // namespace

void save_model_folder(const ModelFolder& model, const fs::path& folder, DType dtype) {
  check_savable(model, dtype);
  const Shapes predictors = model.sieve ? predictor_shapes(model) : Shapes();
  const nlohmann::ordered_json config = timm_config(model);
  const nlohmann::ordered_json sieve = sieve_of(model);
  // "folder/" and "folder" are the same place, but not the same temporary name.
  const fs::path destination = folder.has_filename() ? folder : folder.parent_path();
  std::error_code ignored;
  check_runtime(!fs::exists(fs::symlink_status(destination, ignored)),
                "[save_model_folder] expected a new folder, but ", destination.string(),
                " exists; remove it or choose another");
  FolderInProgress progress(destination);
  write_weights(progress / "model.safetensors", vit_tensors(model.vit), *model.weights, dtype);
  if (model.sieve) {
    write_weights(progress / "sieve.safetensors", predictors, *model.sieve, dtype);
  }
  write_json(progress / "config.json", config);
  if (!sieve.empty()) {
    write_text_file(progress / "sieve.json", sieve_text(sieve, (folder / "sieve.json").string()));
  }
  progress.commit();
}

}  // namespace tokensieve
