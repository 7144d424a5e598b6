#include "run.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "metrics_plot.h"
#include "prepared_run.h"
#include "progress.h"
#include "provenance.h"
#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

/// Puts the folder in place of the one before: a reader finds either, or for a moment none; never
/// a part of one.
void replace_model_folder(const ModelFolder& model, const fs::path& folder) {
  const fs::path next = fs::path(folder) += ".next", last = fs::path(folder) += ".last";
  fs::remove_all(next);
  save_model_folder(model, next);
  fs::remove_all(last);
  if (fs::exists(folder)) fs::rename(folder, last);
  fs::rename(next, folder);
  fs::remove_all(last);
}

/// What the run starts from: a folder, or sizes whose weights are drawn.
ModelFolder start_of(const TrainConfig& config, const fs::path& folder) {
  check_argument(folder.empty() == config.architecture.has_value(),
                 "[train] expected --start or an architecture in the config, got ",
                 folder.empty() ? "neither" : "both");
  if (!config.architecture) return open_model_folder(folder);
  ModelFolder start;
  start.vit = *config.architecture;
  start.preprocessing.height = start.preprocessing.width = config.image_size;
  return start;
}

/// A weight that the file names must not be lost without a word.
void check_teacher(const TrainConfig& config, const fs::path& teacher) {
  check_argument(!teacher.empty() || config.teacher_key.empty(), "[train] the config has ",
                 config.teacher_key, ", which needs --teacher; give one, or set it to 0");
}

}  // namespace

void check_text(const std::string& text) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail_runtime("[train] expected a name in UTF-8, got '",
                 nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                 "'; rename it");
  }
}

nn::TrainResult run_training(TrainConfig config, const TrainPaths& paths) {
  config.train.validate();  // before a minute of reading
  check_teacher(config, paths.teacher);
  const ModelFolder start = start_of(config, paths.start);
  for (const fs::path& path :
       {paths.data, paths.held_out, paths.start, paths.teacher, paths.labels, paths.out}) {
    check_text(path.string());
  }
  PreparedRun run =
      start.bert ? prepare_texts(config, paths, start) : prepare_pictures(config, paths, start);
  config.train.fingerprint =
      cat(config.text, paths.data.string(), "|", paths.start.string(), "|", paths.teacher.string(),
          "|", config.train.device.str(), "|", run.checksum.value(),
          paths.held_out.empty() ? "" : "|" + paths.held_out.string());

  std::cerr << "training on " << run.train_size << " " << run.samples << ", choosing on "
            << run.held_out_size << "\n";
  std::optional<Progress> progress;
  int64_t told = -1;  // the last epoch that was seen to begin
  const auto save_best = [&](int64_t epoch, double accuracy) {
    run.target.recipe = run.method->recipe();
    run.target.weights = nn::export_backbone(run.method->network());
    run.target.sieve = run.method->sieve();
    run.target.provenance = provenance_json(config, paths, run, epoch, accuracy);
    replace_model_folder(run.target, paths.out / "model");
    // Here and not before the run: a run that is refused must leave the folder alone.
    run.write_held_out(paths.out);
  };
  const auto on_step = [&](const nn::TrainProgress& at) {
    const auto step = static_cast<size_t>(at.step);
    if (!progress) progress.emplace("steps", static_cast<size_t>(at.steps), step - 1);
    progress->update(step);
    if (at.epoch == told) return;
    if (told >= 0) plot_metrics(paths.out / "metrics.jsonl");
    told = at.epoch;
    if (stderr_is_terminal()) return;
    const std::string left = progress->left(step);
    std::cerr << "epoch " << at.epoch + 1 << ", step " << at.step << " of " << at.steps
              << (left.empty() ? "" : ", " + left) << "\n";
  };
  nn::TrainResult result;
  try {
    result = nn::train(*run.method, *run.train, *run.held_out, config.train, paths.out, save_best,
                       on_step);
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    const bool of_a_picture = what.starts_with("[read_image]") ||
                              what.starts_with("[decode_image]") ||
                              what.starts_with("[image_loader]");
    if (!of_a_picture) throw;
    fail_runtime(what, "; a run with --skip-broken leaves such pictures out from its start");
  }
  progress.reset();
  plot_metrics(paths.out / "metrics.jsonl");
  return result;
}

}  // namespace tokensieve::cli
