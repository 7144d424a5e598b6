#include "attention_locality.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "load_network.h"
#include "table.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/attention_masks_json.h"
#include "tokensieve/io/dataset.h"
#include "tokensieve/nn/attention_scores.h"
#include "torch_program.h"

namespace tokensieve::cli {
namespace {

using Localities = std::vector<std::vector<double>>;

struct Options {
  std::filesystem::path model;
  std::vector<std::filesystem::path> pictures;
  int rows = 1, columns = 1, batch = 32, threads = 0, workers = 0;
  LocalityLimits limits;
  bool json = false;
};

Localities measure(const Options& options, const ModelFolder& model, const AttentionMasks& masks) {
  ImageDataset data{{"picture"}, {}};
  for (const auto& path : expand_inputs(options.pictures)) data.samples.push_back({path, 0});
  LoaderOptions loading = evaluation_options(options.batch);
  loading.workers = options.workers;
  ImageLoader loader(std::move(data), model.preprocessing, loading);
  const nn::Vit network =
      load_network(model, model.preprocessing.height, model.preprocessing.width);
  return nn::attention_locality(network, loader, masks, torch::kCPU, /*bf16=*/false);
}

void print_table(const Localities& locality, const AttentionMasks& now,
                 const AttentionMasks& next) {
  size_t most = 0;
  for (const auto& heads : locality) most = std::max(most, heads.size());
  std::vector<Table::Column> columns = {{"block"}};
  for (size_t head = 0; head < most; ++head) columns.push_back({cat("head ", head)});
  Table table(columns);
  for (size_t block = 0; block < locality.size(); ++block) {
    const std::span<const int> masked = now.of_block(static_cast<int>(block));
    std::vector<std::string> cells = {cat(block)};
    for (size_t head = 0; head < locality[block].size(); ++head) {
      const bool is_masked = std::ranges::count(masked, static_cast<int>(head)) > 0;
      cells.push_back(fixed(locality[block][head], 3) + (is_masked ? "*" : " "));
    }
    table.add(cells);
  }
  std::cout << table.str()
            << "* masked\n\nmask next:\n\"attention_masks\": " << attention_masks_json(next)
            << "\n";
}

void run(const Options& options) {
  const ModelFolder model = open_model_folder(options.model);
  AttentionMasks masks = model.vit.masks;
  if (masks.heads.empty()) {
    masks.rows = options.rows;
    masks.columns = options.columns;
  }
  masks.validate(model.vit.num_heads);
  const Localities locality = measure(options, model, masks);
  AttentionMasks next = masks;
  next.heads = choose_masked_heads(masks, locality, options.limits);
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"attention_locality", locality},
                                        {"masked", masks.heads},
                                        {"attention_masks",
                                         nlohmann::ordered_json::parse(attention_masks_json(next))}}
                     .dump(2)
              << "\n";
  } else {
    print_table(locality, masks, next);
  }
}

}  // namespace

int attention_locality_command(int argc, char** argv) {
  CLI::App program(
      "How much of its attention each head gives to neighbouring patches (MaiT's attention "
      "locality, 1: all of it), and which heads to mask in the next training.");
  program.name("tokensieve-train attention-locality");
  program.footer(
      "Example: tokensieve-train attention-locality photos/test --model runs/dense/model");
  Options options;
  program.add_option("pictures", options.pictures, "Pictures, folders of them or lists")
      ->required();
  program.add_option("--model", options.model, "Model folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  program
      .add_option("--rows", options.rows, "Reach of a neighbourhood; a masked model has its own")
      ->capture_default_str();
  program.add_option("--columns", options.columns, "The same to the sides")->capture_default_str();
  program
      .add_option("--all", options.limits.all, "Mean locality from which a whole block is masked")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  program.add_option("--none", options.limits.none, "Locality below which a head loses its mask")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  program.add_option("--batch", options.batch, "Pictures at a time")->capture_default_str();
  program.add_option("--threads", options.threads, "Threads of the network; 0: one a core")
      ->check(CLI::Range(0, 1024));
  program.add_option("--workers", options.workers, "Threads that decode pictures; 0: one a core")
      ->check(CLI::Range(0, 256));
  program.add_flag("--json", options.json, "Print the result as JSON");
  return run_torch_program(program, "use a smaller --batch", [&] {
    program.parse(argc, argv);
    if (options.threads > 0) at::set_num_threads(options.threads);
    run(options);
  });
}

}  // namespace tokensieve::cli
