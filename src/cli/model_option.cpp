#include "model_option.h"

#include <cstdlib>

#include "inputs.h"
#include "option_values.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/machine.h"
#include "tokensieve/engine/workspace.h"

namespace tokensieve::cli {
namespace {

constexpr const char* kShippedModel = "weights/vit_s14_imagenette";
constexpr const char* kShippedTextModel = "weights/minilm_sst2";

}  // namespace

void ModelOption::add_to(CLI::App& command) {
  command
      .add_option("-m,--model", folder,
                  "Model folder [else $TOKENSIEVE_MODEL, else this project's, in weights/]")
      ->type_name("DIR");
  command.add_option("--threads", threads, "Threads of the network [one a core]")
      ->type_name("N")
      ->check(count_up_to(kMaxThreads));
}

std::filesystem::path ModelOption::path() const {
  std::filesystem::path path = folder;
  if (path.empty()) {
    const char* environment = std::getenv("TOKENSIEVE_MODEL");
    if (environment != nullptr) path = environment;
  }
  if (path.empty()) {
    path = texts ? kShippedTextModel : kShippedModel;
    check_runtime(std::filesystem::is_directory(path), "[model] no model given and none in ",
                  path.string(), "; pass --model DIR or set TOKENSIEVE_MODEL");
  }
  check_exists("model", path);
  check_runtime(!is_pickle(path), "[model] ", path.string(), " is not a folder; ", kPickleCure);
  check_runtime(std::filesystem::is_directory(path), "[model] ", path.string(),
                " is not a folder; make one with: tokensieve convert ", path.string(),
                " --out DIR --architecture NAME");
  return path;
}

LoadedModel ModelOption::load(int top) const {
  // Commands cut batches themselves, by --batch.
  return LoadedModel(open_model_folder(path()),
                     {.threads = threads, .top = top, .batch = kMaxBatch});
}

int ModelOption::thread_count() const { return this_machine(threads).threads; }

std::string describe(const std::filesystem::path& path, const ModelFolder& model) {
  auto folder = std::filesystem::absolute(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  // A run of tokensieve-train has its network in "model".
  const bool of_run = folder.filename() == "model" && folder.parent_path().has_filename();
  const std::string name =
      (of_run ? folder.parent_path().filename() / "model" : folder.filename()).string();
  if (model.bert) {
    const BertConfig& bert = *model.bert;
    return cat(name, " (", bert.name, ", ", bert.depth(), " blocks of ", bert.embed_dim, ", ",
               bert.num_classes, " classes)");
  }
  return cat(name, " (", model.vit.name, ", ", model.preprocessing.width, " x ",
             model.preprocessing.height, " px, ", model.vit.num_classes, " classes)");
}

std::string label_name(const ModelFolder& model, int label) {
  const auto index = static_cast<size_t>(label);
  return index < model.labels.size() ? model.labels[index] : cat("class ", label);
}

}  // namespace tokensieve::cli
