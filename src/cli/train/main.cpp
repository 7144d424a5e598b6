// The program `tokensieve-train`: fine-tunes a model folder, dense or with a method that drops
// tokens.

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "attention_locality.h"
#include "run.h"
#include "token_labels_picture.h"
#include "torch_program.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifndef TOKENSIEVE_VERSION
#define TOKENSIEVE_VERSION "unknown"
#endif

namespace {

torch::Device parse_device(const std::string& name) {
  try {
    const torch::Device device(name);
    if (device.is_cpu() || (device.is_cuda() && torch::cuda::is_available())) return device;
  } catch (const c10::Error&) {  // not a device's name: said below
  }
  throw std::invalid_argument(
      "[device] expected cpu" +
      std::string(torch::cuda::is_available() ? " or cuda" : " (this LibTorch sees no GPU)") +
      ", got '" + name + "'");
}

/// A step makes and drops tensors of many megabytes. glibc would give each back to the system and
/// have its pages zeroed anew, an eighth of the time.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tokensieve::cli;
  keep_freed_memory();
  if (argc > 1 && std::string_view(argv[1]) == "attention-locality") {
    return attention_locality_command(argc - 1, argv + 1);
  }
  if (argc > 1 && std::string_view(argv[1]) == "token-labels") {
    return token_labels_command(argc - 1, argv + 1);
  }
  CLI::App program(
      "Fine-tunes a ViT or BERT model folder, dense or so that it can drop tokens. A run that was "
      "killed goes on when the same command is given again.");
  program.name("tokensieve-train");
  program.footer(
      "Example: tokensieve-train demos/train/dynamicvit.json --data imagenette/train --start "
      "runs/dense/model --teacher runs/dense/model --out runs/dynamicvit\n"
      "See also: tokensieve-train attention-locality --help, tokensieve-train token-labels --help");
  program.set_version_flag("--version", "tokensieve-train " TOKENSIEVE_VERSION);
  std::filesystem::path config_path;
  TrainPaths paths;
  std::string device = "cpu";
  int image_size = 0, threads = 0, workers = 0;
  int64_t stop_after = 0;
  bool json = false;
  program.add_option("config", config_path, "JSON file of the run (docs/training.md)")
      ->required()
      ->check(CLI::ExistingFile);
  program
      .add_option("--data", paths.data,
                  "Folder with one folder of pictures a class, or a file of texts (.tsv, .jsonl)")
      ->required()
      ->check(CLI::ExistingPath);
  program
      .add_option("--held-out", paths.held_out,
                  "The like that the best epoch is chosen on; without it, a part of --data")
      ->check(CLI::ExistingPath);
  program
      .add_option("--start", paths.start,
                  "Model folder to start from; none where the file gives an architecture")
      ->check(CLI::ExistingDirectory);
  program
      .add_option("--teacher", paths.teacher, "Model folder whose answers the student learns, too")
      ->check(CLI::ExistingDirectory);
  program.add_option("--out", paths.out, "Folder of the run; made if it is not there")->required();
  program.add_option("--labels", paths.labels,
                     "File of the teacher's token labels, for runs that share them or go on; made "
                     "if it is not there");
  program
      .add_option("--image-size", image_size,
                  "Pixels of a side, where the file's image_size or the start's is not wanted")
      ->check(CLI::Range(1, 1 << 16));
  program.add_option("--device", device, "cpu, or cuda where LibTorch has it")
      ->capture_default_str();
  program.add_option("--threads", threads, "Threads of the network; 0: one a core")
      ->check(CLI::Range(0, 1024));
  program.add_option("--workers", workers, "Threads that decode pictures; 0: one a core")
      ->check(CLI::Range(0, 256));
  program
      .add_option("--stop-after", stop_after,
                  "Stop, resumable, after this step, a multiple of log_every; 0: run to the end")
      ->check(CLI::NonNegativeNumber);
  program.add_flag("--skip-broken", paths.skip_broken,
                   "Read all pictures first, and leave out those that cannot be read");
  program.add_flag("--json", json, "Print the result as JSON");

  return run_torch_program(
      program, "use smaller batches and more of them (batch, accumulate)", [&] {
        program.parse(argc, argv);
        TrainConfig config = read_train_config(config_path, image_size);
        config.train.device = parse_device(device);
        config.train.stop_after = stop_after;
        config.loader.workers = workers;
        if (threads > 0) at::set_num_threads(threads);
        const auto result = run_training(std::move(config), paths);
        const std::string model = (paths.out / "model").string();
        if (json) {
          std::cout << nlohmann::ordered_json{{"finished", result.finished},
                                              {"best_epoch", result.best_epoch},
                                              {"held_out_accuracy", result.best_accuracy},
                                              {"is_average", result.best_is_ema},
                                              {"model", model}}
                           .dump(2)
                    << "\n";
        } else if (result.best_epoch >= 0) {
          std::cout << "chosen: " << 100 * result.best_accuracy
                    << " % of the held-out samples, after epoch " << result.best_epoch + 1
                    << (result.best_is_ema ? " (moving average)" : "") << ", in " << model << "\n";
        }
        std::cerr << "training waited for data " << std::round(1000 * result.waited) / 10
                  << " % of the time\n";
        if (!result.finished)
          std::cerr << "stopped; the same command without --stop-after goes on\n";
      });
}
