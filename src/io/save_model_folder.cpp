#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "json_util.h"
#include "model/hf_text_config.h"
#include "model/measure_bert.h"
#include "model/measure_vit.h"
#include "model/sentence_pooling.h"
#include "model/sieve_json.h"
#include "model/timm_config.h"
#include "model/tokenizer_files.h"
#include "tensor_shapes.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/bert_tensors.h"
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

  const fs::path& path() const { return temporary_; }
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

/// A tensor's bytes in the type of the file; `exact` becomes false when a value was rounded.
std::vector<std::byte> bytes_of(const std::vector<float>& values, DType dtype, bool& exact) {
  if (dtype == DType::F32) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> bytes(values.size() * sizeof(std::uint16_t));
  std::vector<std::uint16_t> narrow(values.size());
  f32_to_bf16(values, narrow);
  std::vector<float> back(values.size());
  bf16_to_f32(narrow, back);
  exact = exact && back == values;
  std::ranges::copy(std::as_bytes(std::span(narrow)), bytes.begin());
  return bytes;
}

/// Returns whether all values are as they were.
bool write_weights(const fs::path& path, const TensorShapes& shapes, const WeightSource& weights,
                   DType dtype) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorData> tensors;
  bool exact = true;
  for (const auto& [name, shape] : shapes) {
    bytes.push_back(bytes_of(weights.read(name, shape), dtype, exact));
    tensors.push_back({name, dtype, shape, bytes.back()});
  }
  write_safetensors(path, tensors, {{"format", "pt"}});  // without this transformers refuses it
  return exact;
}

void write_json(const fs::path& path, const nlohmann::ordered_json& json) {
  write_text_file(path, json.dump(2) + "\n");
}

/// A last block of nothing has no tensors, and a folder has as many blocks as its tensors name.
template <typename Config>
void check_last_block(const Config& config) {
  check_argument(config.num_heads.back() > 0 || config.mlp_dim.back() > 0,
                 "[save_model_folder] expected a last block with heads or an MLP, got one with "
                 "neither; leave it out");
}

void check_savable(const ModelFolder& model, DType dtype) {
  check_argument(dtype == DType::F32 || dtype == DType::BF16,
                 "[save_model_folder] expected F32 or BF16, got ", dtype_name(dtype));
  check_argument(model.weights != nullptr, "[save_model_folder] expected weights, got none");
  int num_classes = 0;
  if (model.bert) {
    model.bert->validate();
    check_last_block(*model.bert);
    num_classes = model.bert->num_classes;
    const bool learned = model.bert->exits || model.bert->contributions;
    check_argument(learned == (model.sieve != nullptr),
                   "[save_model_folder] expected classifiers for early exit or contribution "
                   "predictors, and the same in the config, or neither");
    check_tensors(*model.bert, *model.weights, "the weights to save");
  } else {
    model.vit.validate();
    check_last_block(model.vit);
    num_classes = model.vit.num_classes;
    check_preprocessing(model.preprocessing);
    check_argument(model.vit.in_channels == 3,
                   "[save_model_folder] expected a model of 3 channels, got ",
                   model.vit.in_channels);
    check_tensors(model.vit, *model.weights, "the weights to save");
  }
  check_argument(model.labels.empty() || std::ssize(model.labels) == num_classes,
                 "[save_model_folder] expected ", num_classes,
                 " labels, one a class, or none, got ", model.labels.size());
}

/// Of what goes into sieve.safetensors. Throws when it does not hold together.
TensorShapes sieve_shapes(const ModelFolder& model) {
  if (!model.sieve) return {};
  if (model.bert) {
    check_sieve(*model.bert, *model.sieve, "the tensors to save");
    return sieve_tensors(*model.bert);
  }
  const int count = count_predictors(model.vit, *model.sieve, "the predictors to save");
  return predictor_tensors(count, model.vit.embed_dim);
}

/// What a text model's folder has beside config.json and tensors.
void write_text_files(const ModelFolder& model, const fs::path& folder) {
  if (model.bert->head == TextHead::embedding) write_sentence_pooling(folder, *model.bert);
  if (model.tokenizer_folder.empty()) return;
  for (const char* file : kTokenizerFiles) {
    const fs::path source = model.tokenizer_folder / file;
    if (!fs::exists(source)) continue;
    write_text_file(folder / file, read_text_file(source, kMaxJsonBytes));
  }
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

bool save_model_folder(const ModelFolder& model, const fs::path& folder, DType dtype) {
  check_savable(model, dtype);
  const TensorShapes sieve_tensors = sieve_shapes(model);
  const nlohmann::ordered_json config = model.bert ? hf_text_config(model) : timm_config(model);
  nlohmann::ordered_json sieve = sieve_of(model);
  // "folder/" and "folder" are the same place, but not the same temporary name.
  const fs::path destination = folder.has_filename() ? folder : folder.parent_path();
  std::error_code ignored;
  check_runtime(!fs::exists(fs::symlink_status(destination, ignored)),
                "[save_model_folder] expected a new folder, but ", destination.string(),
                " exists; remove it or choose another");
  FolderInProgress progress(destination);
  bool exact = write_weights(progress / "model.safetensors",
                             model.bert ? bert_tensors(*model.bert) : vit_tensors(model.vit),
                             *model.weights, dtype);
  if (model.sieve) {
    exact &= write_weights(progress / "sieve.safetensors", sieve_tensors, *model.sieve, dtype);
  }
  if (!exact && sieve.is_object()) sieve.erase("calibrations");  // of other weights
  if (model.bert) write_text_files(model, progress.path());
  write_json(progress / "config.json", config);
  if (!sieve.empty()) {
    write_text_file(progress / "sieve.json", sieve_text(sieve, (folder / "sieve.json").string()));
  }
  progress.commit();
  return exact;
}

}  // namespace tokensieve
