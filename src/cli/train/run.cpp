#include "run.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "checksum.h"
#include "load_network.h"
#include "metrics_plot.h"
#include "progress.h"
#include "provenance.h"
#include "terminal.h"
#include "token_labels.h"
#include "tokensieve/core/error.h"
#include "tokensieve/data/split.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/predictor_tensors.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

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

/// The start's folder with the classes and the image size of this run.
ModelFolder target_of(const ModelFolder& start, const TrainConfig& config,
                      const ImageDataset& data) {
  ModelFolder target = start;
  target.vit.num_classes = static_cast<int>(data.classes.size());
  if (config.image_size > 0) {
    target.vit.image_height = target.vit.image_width = config.image_size;
    target.preprocessing.height = target.preprocessing.width = config.image_size;
  } else {
    // A start may read other sizes than its position table was made for.
    target.vit.image_height = target.preprocessing.height;
    target.vit.image_width = target.preprocessing.width;
  }
  if (config.masks) target.vit.masks = *config.masks;
  if (config.pooling) target.vit.pooling = *config.pooling;
  if (config.method == "token_labeling" && config.token_labeling.tokens_weight > 0) {
    target.vit.aux_head = true;
  }
  if (config.crop_pct > 0) target.preprocessing.crop_pct = config.crop_pct;
  target.labels = data.classes;
  for (std::string& label : target.labels) std::ranges::replace(label, '_', ' ');
  target.sieve = nullptr;
  return target;
}

/// A classifier of other classes is worth nothing, even where it has as many.
void load_start(nn::VitImpl& network, const ModelFolder& start, const ModelFolder& target) {
  if (!start.weights) return;
  using Head = nn::LoadOptions::Head;
  const bool same =
      start.labels == target.labels && start.vit.num_classes == target.vit.num_classes;
  if (!same) std::cerr << "the classifier starts anew: the start's classes are others\n";
  nn::LoadOptions options;
  const bool added = target.vit.aux_head && !start.vit.aux_head;
  options.head = !same ? Head::fresh : added ? Head::load_if_fits : Head::load;
  options.grid_height = start.vit.grid_height();
  options.grid_width = start.vit.grid_width();
  nn::load_weights(network, *start.weights, options);
}

/// The teacher sees the student's pixels and answers in its classes. Throws std::runtime_error when
/// it was made for others.
nn::Vit load_teacher(const fs::path& folder, const ModelFolder& student) {
  if (folder.empty()) return nullptr;
  const ModelFolder teacher = open_model_folder(folder);
  check_runtime(teacher.labels.empty() || teacher.labels == student.labels, "[train] the teacher ",
                folder.string(), " has other classes than the data, or another order of them");
  check_runtime(teacher.preprocessing.mean == student.preprocessing.mean &&
                    teacher.preprocessing.std == student.preprocessing.std,
                "[train] the teacher ", folder.string(),
                " normalises pixels by another mean or std than the start");
  return load_network(teacher, student.vit.image_height, student.vit.image_width);
}

/// Predictors that the start was trained with go on where they were, if they are of these sites.
void load_predictors(nn::DynamicVitImpl& network, const ModelFolder& start) {
  if (!start.sieve) return;
  const int count = count_predictors(start.vit, *start.sieve, "the start");
  if (count == static_cast<int>(network.sites().size())) {
    nn::load_parameters(network, "score_predictor.", *start.sieve);
  } else {
    std::cerr << "the predictors start anew: the start has " << count << " and there are "
              << network.sites().size() << " sites\n";
  }
}

/// Paths and class names are written into JSON, which is UTF-8.
void check_text(const std::string& text) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail_runtime("[train] expected a name in UTF-8, got '",
                 nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                 "'; rename it");
  }
}

/// A network that is trained by token labels instead of a teacher at its side.
std::unique_ptr<nn::Method> make_token_labeling(const TrainConfig& config, const ModelFolder& start,
                                                const ModelFolder& target, nn::LabelMaps maps) {
  torch::manual_seed(config.train.seed);
  if (config.token_labeling_sites.empty()) {
    nn::Vit network(target.vit, config.drop_path);
    load_start(*network, start, target);
    return nn::token_labeling_method(network, std::move(maps), config.token_labeling);
  }
  nn::DynamicVit network(target.vit, config.token_labeling_sites, config.drop_path);
  load_start(*network, start, target);
  load_predictors(*network, start);
  return nn::token_labeling_method(network, std::move(maps), config.token_labeling);
}

std::unique_ptr<nn::Method> make_method(const TrainConfig& config, const ModelFolder& start,
                                        const ModelFolder& target, const fs::path& teacher_folder,
                                        Checksum& checksum) {
  torch::manual_seed(config.train.seed);  // for what the start does not have: head, predictors
  nn::Vit teacher = load_teacher(teacher_folder, target);
  if (teacher) checksum.add(*teacher);
  if (config.method == "dynamicvit") {
    nn::DynamicVit network(target.vit, config.sites, config.drop_path);
    load_start(*network, start, target);
    load_predictors(*network, start);
    return nn::dynamic_vit_method(network, teacher, config.dynamicvit);
  }
  if (config.method == "asvit") {
    nn::AsVit network(target.vit, config.asvit_sites, config.asvit_thresholds, config.drop_path);
    load_start(*network, start, target);
    return nn::asvit_method(network, teacher, config.asvit);
  }
  nn::Vit network(target.vit, config.drop_path);
  load_start(*network, start, target);
  if (config.method == "evit") return nn::evit_method(network, teacher, config.evit);
  if (config.method == "sait") return nn::sait_method(network, teacher, config.sait);
  return nn::dense_method(network, teacher, config.dense);
}

/// The pictures that choices are made on, as a picture list that `tokensieve evaluate` reads.
void write_held_out(const ImageDataset& pictures, const fs::path& file) {
  std::string text;
  for (const auto& [path, label] : pictures.samples) {
    text += cat(fs::absolute(path).string(), "\t", label, "\n");
  }
  write_text_file(file, text);
}

/// Puts the folder in place of the one before: a reader finds either, or for a moment none.
void replace_model_folder(const ModelFolder& model, const fs::path& folder) {
  const fs::path next = fs::path(folder) += ".next";
  fs::remove_all(next);
  save_model_folder(model, next);
  fs::remove_all(folder);
  fs::rename(next, folder);
}

}  // namespace

nn::TrainResult run_training(TrainConfig config, const TrainPaths& paths) {
  const ModelFolder start = start_of(config, paths.start);
  const ImageDataset data = open_image_folder(paths.data);
  const HeldOutSplit split = split_held_out(data, config.held_out, config.train.seed);
  ModelFolder target = target_of(start, config, data);
  for (const std::string& label : data.classes) check_text(label);
  for (const fs::path& path : {paths.data, paths.start, paths.teacher, paths.labels, paths.out}) {
    check_text(path.string());
  }
  Checksum checksum;
  std::unique_ptr<nn::Method> method;
  std::optional<double> teacher_accuracy;
  if (config.method == "token_labeling") {
    TokenLabels labels = token_labels(config, paths, data, split, target);
    teacher_accuracy = labels.held_out_accuracy;
    checksum.add(labels.fingerprint.data(), labels.fingerprint.size());
    method = make_token_labeling(config, start, target, std::move(labels.maps));
  } else {
    method = make_method(config, start, target, paths.teacher, checksum);
  }
  checksum.add(method->network());
  checksum.add(split.train, paths.data);
  checksum.add(split.held_out, paths.data);

  ImageLoader train(split.train, target.preprocessing, config.loader);
  LoaderOptions evaluation = evaluation_options(config.loader.batch_size);
  evaluation.workers = config.loader.workers;
  evaluation.decode = config.loader.decode;
  evaluation.num_classes = train.num_classes();
  ImageLoader held_out(split.held_out, target.preprocessing, evaluation);
  config.train.fingerprint =
      cat(config.text, paths.data.string(), "|", paths.start.string(), "|", paths.teacher.string(),
          "|", config.train.device.str(), "|", checksum.value());

  std::cerr << "training on " << split.train.samples.size() << " pictures, choosing on "
            << split.held_out.samples.size() << "\n";
  std::optional<Progress> progress;
  int64_t told = -1;  // the last epoch that standard error heard of
  const auto result = nn::train(
      *method, train, held_out, config.train, paths.out,
      [&](int64_t epoch, double accuracy) {
        target.recipe = method->recipe();
        const std::string own = method->own_prefix();
        target.weights = nn::export_parameters(method->network(), own, !own.empty());
        target.sieve = method->sieve();
        target.provenance =
            provenance_json(config, paths, split, epoch, accuracy, teacher_accuracy);
        replace_model_folder(target, paths.out / "model");
        // Here and not ahead of the run: a run that is refused must leave the folder alone.
        write_held_out(split.held_out, paths.out / "held_out.txt");
      },
      [&](const nn::TrainProgress& at) {
        const auto step = static_cast<size_t>(at.step);
        if (!progress) progress.emplace("steps", static_cast<size_t>(at.steps), step - 1);
        progress->update(step);
        if (stderr_is_terminal() || at.epoch == told) return;
        told = at.epoch;
        std::cerr << "epoch " << at.epoch + 1 << ", step " << at.step << " of " << at.steps << "\n";
      });
  progress.reset();
  plot_metrics(paths.out / "metrics.jsonl");
  return result;
}

}  // namespace tokensieve::cli
