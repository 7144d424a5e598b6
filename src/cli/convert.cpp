// tokensieve convert: a model folder of any known layout, or a lone safetensors file, as our own
// folder.

#include <iostream>
#include <memory>

#include "commands.h"
#include "facts.h"
#include "inputs.h"
#include "json_output.h"
#include "model_option.h"
#include "option_values.h"
#include "table.h"
#include "tokensieve/core/error.h"
#include "tokensieve/engine/text_classifier.h"

namespace tokensieve::cli {
namespace {

struct ConvertOptions {
  std::string input, out, architecture, recipe;
  std::string dtype = "f32";
  bool json = false;
};

void run_convert(const ConvertOptions& options) {
  const auto dtype =
      choose<DType>("dtype", options.dtype, {{"f32", DType::F32}, {"bf16", DType::BF16}});
  check_exists("convert", options.input);
  const bool folder = std::filesystem::is_directory(options.input);
  check_runtime(folder || !is_pickle(options.input), "[convert] expected safetensors, got ",
                options.input, "; ", kPickleCure);
  check_argument(
      !folder || options.architecture.empty(),
      "[convert] --architecture is for a .safetensors file; a folder has it in config.json");
  check_argument(
      folder || !options.architecture.empty(),
      "[convert] expected --architecture with a .safetensors file; pass timm's name, such "
      "as --architecture deit_small_patch16_224");
  ModelFolder model = folder ? open_model_folder(options.input)
                             : open_model_file(options.input, options.architecture);
  if (!options.recipe.empty()) model.recipe = options.recipe;
  // A recipe that the model cannot run is told before writing, its own, too.
  if (model.bert) {
    const TextClassifier runs_it(model);
  } else {
    const Classifier runs_it(model);
  }
  if (!save_model_folder(model, options.out, dtype) && !model.calibrations.empty()) {
    std::cerr << "note: calibrations are left out, since bf16 rounds the weights; make new ones: "
                 "tokensieve calibrate DATA --model "
              << options.out << "\n";
  }

  const std::uintmax_t bytes = weight_bytes(options.out);
  if (options.json) {
    print_json({{"model", options.out},
                {"architecture", model.bert ? model.bert->name : model.vit.name},
                {"bytes", bytes}});
  } else {
    std::cout << "wrote " << describe(options.out, model) << ", "
              << fixed(static_cast<double>(bytes) / 1e6, 1) << " MB\n";
  }
}

}  // namespace

void add_convert(CLI::App& program) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = program.add_subcommand(
      "convert", "Make a model folder of another folder or a safetensors file");
  command->add_option("input", options->input, "timm or Hugging Face folder, or .safetensors file")
      ->type_name("INPUT")
      ->required();
  command->add_option("-o,--out", options->out, "Folder to make; must not exist")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--architecture", options->architecture,
                   "timm's name of the network, for a .safetensors file")
      ->type_name("NAME");
  command->add_option("--recipe", options->recipe, "Default recipe to write into the folder")
      ->type_name("RECIPE");
  command->add_option("--dtype", options->dtype, "Store the weights as f32 or bf16")
      ->type_name("TYPE")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON object instead");
  command->footer(
      "Example: tokensieve convert --dtype bf16 --out deit_s deit_s.safetensors "
      "--architecture deit_small_patch16_224");
  command->callback([options] { run_convert(*options); });
}

}  // namespace tokensieve::cli
