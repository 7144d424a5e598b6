#include "tokensieve/io/model_folder.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "json_util.h"
#include "model/hf_config.h"
#include "model/hf_names.h"
#include "model/hf_text_config.h"
#include "model/mapped_weights.h"
#include "model/sieve_json.h"
#include "model/timm_config.h"
#include "model/tokenizer_files.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/bert_tensors.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/predictor_tensors.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_pickle(const fs::path& path) {
  fail_runtime("[model_folder] expected safetensors, got ", path.string(), "; ", kPickleCure);
}

/// model.safetensors of a folder, or an error that says what is there instead.
fs::path weights_path(const fs::path& folder) {
  const fs::path path = folder / "model.safetensors";
  if (fs::exists(path)) return path;
  check_runtime(!fs::exists(folder / "model.safetensors.index.json"), "[model_folder] expected ",
                path.string(), ", got a model in several files; save it in one: ",
                "model.save_pretrained(folder, max_shard_size=\"100GB\")");
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_pickle(entry.path())) fail_pickle(entry.path());
  }
  fail_runtime("[model_folder] expected ", path.string(), ", got no such file");
}

/// "blocks.3.gamma_1", as some checkpoints have it, is timm's "blocks.3.ls1.gamma".
std::string todays_name(const std::string& name) {
  for (const auto& [before, now] :
       {std::pair{".gamma_1", ".ls1.gamma"}, std::pair{".gamma_2", ".ls2.gamma"}}) {
    const std::string_view suffix = before;
    if (name.starts_with("blocks.") && name.ends_with(suffix)) {
      return name.substr(0, name.size() - suffix.size()) + now;
    }
  }
  return name;
}

TensorParts timm_tensor_parts(const SafetensorsFile& file) {
  TensorParts parts;
  for (const std::string& name : file.names()) {
    const std::string now = todays_name(name);
    parts[file.contains(now) ? name : now] = {name};
  }
  return parts;
}

/// What holds for every model, wherever it came from.
void check_whole(const ModelFolder& model, const std::string& config_file) {
  if (model.bert) return;
  check_runtime(model.vit.in_channels == 3, "[model_folder] ", config_file,
                ": expected a model of 3 channels, got ", model.vit.in_channels);
  try {
    check_preprocessing(model.preprocessing);
  } catch (const std::invalid_argument& error) {
    fail_runtime("[model_folder] ", config_file, ": ", error.what());
  }
}

void read_sieve_weights(const fs::path& path, ModelFolder& model) {
  SafetensorsFile file = SafetensorsFile::open(path);
  TensorParts parts;
  for (const std::string& name : file.names()) parts[name] = {name};
  model.sieve = std::make_shared<MappedWeights>(std::move(file), std::move(parts));
  if (!model.bert) {
    count_predictors(model.vit, *model.sieve, path.string());
    return;
  }
  model.bert = with_sieve(*model.bert, *model.sieve);
  check_runtime(model.bert->exits || model.bert->contributions, "[model_folder] ", path.string(),
                ": expected classifiers for early exit, such as '", exit_name(0),
                ".weight', or contribution predictors, such as '", contribution_name(0),
                ".hidden.weight', got neither");
  check_runtime(!model.bert->exits || model.bert->head == TextHead::classification,
                "[model_folder] ", path.string(),
                ": expected a text model that classifies, as it has classifiers for early exit");
  check_sieve(*model.bert, *model.sieve, path.string());
}

/// True when `folder` has what a tokenizer is made of.
bool has_tokenizer(const fs::path& folder) {
  return std::ranges::any_of(kTokenizerFiles,
                             [&](const char* file) { return fs::exists(folder / file); });
}

}  // namespace

bool is_pickle(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".bin" || extension == ".pth" || extension == ".pt";
}

const VitConfig& ModelFolder::image_config(std::string_view operation) const {
  check_runtime(!bert, operation, " expected a model of images, got one of texts (",
                bert ? bert->name : "", ")");
  return vit;
}

const BertConfig& ModelFolder::text_config(std::string_view operation) const {
  check_runtime(bert.has_value(), operation, " expected a model of texts, got one of images (",
                vit.name, ")");
  return *bert;
}

ModelFolder open_model_folder(const fs::path& folder) {
  check_runtime(fs::is_directory(folder), "[model_folder] expected a folder, got '",
                folder.string(), "'");
  const fs::path config_path = folder / "config.json";
  check_runtime(fs::exists(config_path), "[model_folder] expected ", config_path.string(),
                ", got no such file");
  const nlohmann::json json = read_json(config_path);
  const JsonObject config(json, config_path.string());
  const fs::path path = weights_path(folder);
  SafetensorsFile file = SafetensorsFile::open(path);

  ModelFolder model;
  if (config.has("architecture")) {
    TensorParts parts = timm_tensor_parts(file);
    model.weights = std::make_shared<MappedWeights>(std::move(file), std::move(parts));
    read_timm_config(config, path.string(), model);
  } else if (is_text_config(config)) {
    read_hf_text_model(config, std::move(file), folder, model);
    if (has_tokenizer(folder)) model.tokenizer_folder = folder;
  } else if (config.has("model_type")) {
    TensorParts parts = hf_tensor_parts(file);
    model.weights = std::make_shared<MappedWeights>(std::move(file), std::move(parts));
    read_hf_config(config, path.string(), model);
    const fs::path preprocessor_path = folder / "preprocessor_config.json";
    check_runtime(fs::exists(preprocessor_path), "[model_folder] expected ",
                  preprocessor_path.string(), ", got no such file; save the image processor ",
                  "beside the model: processor.save_pretrained(folder)");
    const nlohmann::json preprocessor = read_json(preprocessor_path);
    model.preprocessing =
        read_hf_preprocessing(JsonObject(preprocessor, preprocessor_path.string()), model.vit);
  } else {
    config.fail("architecture", "timm's name of the model, or model_type Hugging Face's");
  }
  check_whole(model, config_path.string());
  const fs::path sieve = folder / "sieve.json";
  if (fs::exists(sieve)) {
    read_sieve(read_text_file(sieve, kMaxJsonBytes), sieve.string(), model);
  }
  const fs::path weights = folder / "sieve.safetensors";
  if (fs::exists(weights)) read_sieve_weights(weights, model);
  return model;
}

ModelFolder open_model_file(const fs::path& file, std::string_view architecture) {
  if (is_pickle(file)) fail_pickle(file);
  SafetensorsFile opened = SafetensorsFile::open(file);
  ModelFolder model;
  TensorParts parts = timm_tensor_parts(opened);
  model.weights = std::make_shared<MappedWeights>(std::move(opened), std::move(parts));
  assume_timm_config(architecture, file.string(), model);
  check_whole(model, file.string());
  return model;
}

}  // namespace tokensieve
