// tokensieve info: what is in a model folder or a safetensors file.

#include <iostream>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "calibration.h"
#include "commands.h"
#include "inputs.h"
#include "json_output.h"
#include "model_facts.h"
#include "model_option.h"
#include "table.h"
#include "terminal.h"
#include "text_facts.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/safetensors.h"

namespace tokensieve::cli {
namespace {

struct InfoOptions {
  std::string input, architecture;
  std::vector<std::string> recipes;
  bool json = false;
};

// A file whose network is not known: its tensors only.
void show_tensors(const InfoOptions& options) {
  const auto file = SafetensorsFile::open(options.input);
  std::map<std::string, std::pair<size_t, uint64_t>> by_dtype;  // tensors, values
  uint64_t values = 0;
  for (const std::string& name : file.names()) {
    uint64_t count = 1;
    for (const int64_t side : file.info(name).shape) count *= static_cast<uint64_t>(side);
    auto& [tensors, total] = by_dtype[std::string(dtype_name(file.info(name).dtype))];
    ++tensors;
    total += count;
    values += count;
  }
  if (options.json) {
    nlohmann::ordered_json dtypes, tensors;
    for (const auto& [name, counts] : by_dtype) {
      dtypes[name] = {{"tensors", counts.first}, {"values", counts.second}};
    }
    for (const std::string& name : file.names()) {
      const TensorInfo& info = file.info(name);
      tensors[name] = {{"dtype", dtype_name(info.dtype)}, {"shape", info.shape}};
    }
    print_json({{"file", options.input},
                {"parameters", values},
                {"dtypes", dtypes},
                {"metadata", file.metadata()},
                {"tensors", tensors}});
    return;
  }
  std::cout << bold(printable(options.input)) << "\n  " << file.names().size() << " tensors, "
            << fixed(static_cast<double>(values) / 1e6, 2) << " million values\n";
  for (const auto& [name, counts] : by_dtype) {
    std::cout << "  " << name << ": " << counts.first << " tensors\n";
  }
  for (const auto& [key, value] : file.metadata()) {
    std::cout << "  " << printable(key) << ": " << printable(value, std::string::npos) << "\n";
  }
  std::cout << "  (pass --architecture NAME, timm's name of the network, to see more)\n";
}

void run_info(const InfoOptions& options) {
  const std::string input = options.input.empty() ? ModelOption().path().string() : options.input;
  check_exists("info", input);
  const bool folder = std::filesystem::is_directory(input);
  check_argument(
      !folder || options.architecture.empty(),
      "[info] --architecture is for a .safetensors file; a folder has it in config.json");
  if (!folder && options.architecture.empty()) {
    check_argument(options.recipes.empty(), "[info] --recipe needs a model folder, or a file with ",
                   "--architecture");
    return show_tensors(options);
  }
  const LoadedModel loaded(folder ? open_model_folder(input)
                                  : open_model_file(input, options.architecture));
  const ModelFolder& model = loaded.folder();
  std::vector<std::string> texts{"dense"};
  if (model.recipe != "dense") texts.push_back(model.recipe);
  texts.insert(texts.end(), options.recipes.begin(), options.recipes.end());
  const auto recipes = resolve_recipes(texts, "dense", {}, loaded);
  std::string shown;
  if (loaded.reads_texts()) {
    const auto costs = text_costs(loaded.texts("info"), recipes);
    if (options.json) return print_json(text_model_json(input, model, costs));
    shown = text_model_text(input, model) + "\n" + text_costs_text(costs);
  } else {
    const auto costs = recipe_costs(loaded.pictures("info"), recipes);
    if (options.json) return print_json(model_json(input, model, costs));
    shown = model_text(input, model) + "\n" + costs_text(costs);
  }
  std::cout << shown;
  for (const Calibration& calibration : model.calibrations) {
    std::cout << "\n" << to_text(calibration, loaded.machine());
  }
}

}  // namespace

void add_info(CLI::App& program) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command =
      program.add_subcommand("info", "Show what is in a model, and what recipes cost");
  command
      ->add_option("-m,--model,input", options->input,
                   "Model folder or .safetensors file [as for the other commands]")
      ->type_name("MODEL");
  command
      ->add_option("--architecture", options->architecture,
                   "timm's name of the network, for a .safetensors file")
      ->type_name("NAME");
  command
      ->add_option("-r,--recipe", options->recipes,
                   "Show this recipe's tokens and MACs too; may come several times")
      ->type_name("RECIPE")
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer("Example: tokensieve info --recipe 'evit(keep=0.5)' weights/vit_s14_imagenette");
  command->callback([options] { run_info(*options); });
}

}  // namespace tokensieve::cli
