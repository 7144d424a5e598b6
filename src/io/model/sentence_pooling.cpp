#include "model/sentence_pooling.h"

#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "json_util.h"
#include "model/json_object.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModules = "sentence_transformers.models.";
constexpr std::string_view kMode = "pooling_mode_";

/// Looks for a Normalize among the modules and refuses those that would change the vector.
bool read_modules(const fs::path& path) {
  const nlohmann::json json = read_json(path);
  check_runtime(json.is_array(), "[model_folder] ", path.string(),
                ": expected a list of modules, got ", json.type_name());
  bool normalize = false;
  for (const nlohmann::json& entry : json) {
    const JsonObject module(entry, path.string());
    const std::string type = module.text("type");
    const std::string name = type.substr(type.rfind('.') + 1);
    if (name == "Normalize") {
      normalize = true;
    } else if (name != "Transformer" && name != "Pooling") {
      module.fail("type", "a Transformer, Pooling or Normalize");
    } else if (name == "Pooling" && module.text("path") != "1_Pooling") {
      module.fail("path", "\"1_Pooling\"");
    }
  }
  return normalize;
}

TextPooling read_pooling(const fs::path& path) {
  const nlohmann::json json = read_json(path);
  const JsonObject config(json, path.string());
  std::string mode;
  for (const auto& [key, value] : json.items()) {
    if (!key.starts_with(kMode) || !config.flag(key)) continue;
    if (!mode.empty()) config.fail(key, "false, as only one way of pooling is supported");
    mode = key.substr(kMode.size());
  }
  if (mode == "cls_token") return TextPooling::class_token;
  if (mode == "mean_tokens") return TextPooling::mean;
  if (mode.empty()) config.fail("pooling_mode_mean_tokens", "true, or pooling_mode_cls_token");
  config.fail(cat(kMode, mode),
              "false; pooling_mode_mean_tokens and pooling_mode_cls_token are "
              "supported");
}

}  // namespace

void read_sentence_pooling(const fs::path& folder, BertConfig& bert) {
  if (fs::exists(folder / "modules.json")) bert.normalize = read_modules(folder / "modules.json");
  const fs::path pooling = folder / "1_Pooling" / "config.json";
  if (fs::exists(pooling)) bert.pooling = read_pooling(pooling);
}

void write_sentence_pooling(const fs::path& folder, const BertConfig& bert) {
  nlohmann::ordered_json modules = nlohmann::ordered_json::array();
  const auto add = [&](const char* type, const std::string& path) {
    const auto index = modules.size();
    modules.push_back({{"idx", index},
                       {"name", std::to_string(index)},
                       {"path", path},
                       {"type", cat(kModules, type)}});
  };
  add("Transformer", "");
  add("Pooling", "1_Pooling");
  if (bert.normalize) add("Normalize", "2_Normalize");
  write_text_file(folder / "modules.json", modules.dump(2) + "\n");

  const fs::path path = folder / "1_Pooling";
  std::error_code error;
  fs::create_directory(path, error);
  check_runtime(!error, "[save_model_folder] cannot create ", path.string(), ": ", error.message());
  const nlohmann::ordered_json config = {
      {"word_embedding_dimension", bert.embed_dim},
      {"pooling_mode_cls_token", bert.pooling == TextPooling::class_token},
      {"pooling_mode_mean_tokens", bert.pooling == TextPooling::mean},
  };
  write_text_file(path / "config.json", config.dump(2) + "\n");
}

}  // namespace tokensieve
