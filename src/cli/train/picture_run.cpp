#include <algorithm>
#include <iostream>

#include "broken_pictures.h"
#include "load_network.h"
#include "prepared_run.h"
#include "token_labels.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/data/split.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/predictor_tensors.h"
#include "tokensieve/nn/weights.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

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
  target.calibrations.clear();  // of other weights
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

/// Predictors that the start was trained with go on where they were, if they are of these sites, as
/// far as its recipe tells.
void load_predictors(nn::DynamicVitImpl& network, const ModelFolder& start) {
  if (!start.sieve) return;
  const int count = count_predictors(start.vit, *start.sieve, "the start");
  const auto trained = Recipe::parse(start.recipe)
                           .compile(start.vit.depth())
                           .sites_by(LearnedScore::keep_probability);
  std::vector<Site> sites;
  for (const int block : network.sites()) sites.push_back({block, SitePosition::before_block});
  if (count == std::ssize(sites) && (trained.empty() || trained == sites)) {
    nn::load_parameters(network, "score_predictor.", *start.sieve);
    return;
  }
  std::cerr << "the predictors start anew: the start has " << count << " of "
            << (trained.empty() ? "unknown sites" : to_string(trained)) << ", and there are "
            << sites.size() << " sites, " << to_string(sites) << "\n";
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

/// The pictures of a folder, those that cannot be read left out if that is wanted.
ImageDataset pictures_of(const TrainConfig& config, const TrainPaths& paths,
                         const fs::path& folder) {
  const ImageDataset pictures = open_image_folder(folder);
  if (!paths.skip_broken) return pictures;
  return without_broken(pictures, config.loader.decode, config.loader.workers);
}

/// A part of the pictures, or those of a folder of their own.
HeldOutSplit split_of(const TrainConfig& config, const TrainPaths& paths,
                      const ImageDataset& data) {
  if (paths.held_out.empty()) return split_held_out(data, config.held_out, config.split_seed);
  HeldOutSplit split{data, pictures_of(config, paths, paths.held_out)};
  check_runtime(split.held_out.classes == data.classes, "[train] expected the classes of ",
                paths.data.string(), " in ", paths.held_out.string(), ", got others");
  return split;
}

}  // namespace

PreparedRun prepare_pictures(const TrainConfig& config, const TrainPaths& paths,
                             const ModelFolder& start) {
  check_runtime(config.text_key.empty(), "[config] '", config.text_key, "' is for texts, and ",
                paths.start.string(), " is an image model");
  check_argument(paths.labels.empty() || config.method == "token_labeling",
                 "[train] --labels is for token_labeling, the config has the method ",
                 config.method);
  const ImageDataset data = pictures_of(config, paths, paths.data);
  const HeldOutSplit split = split_of(config, paths, data);
  PreparedRun run;
  run.target = target_of(start, config, data);
  for (const std::string& label : data.classes) check_text(label);
  if (config.method == "token_labeling") {
    TokenLabels labels = token_labels(config, paths, data, split, run.target);
    run.teacher_held_out_accuracy = labels.held_out_accuracy;
    run.checksum.add(labels.fingerprint);
    run.method = make_token_labeling(config, start, run.target, std::move(labels.maps));
  } else {
    run.method = make_method(config, start, run.target, paths.teacher, run.checksum);
  }
  run.checksum.add(run.method->network());
  run.checksum.add(split.train, paths.data);
  run.checksum.add(split.held_out, paths.held_out.empty() ? paths.data : paths.held_out);

  const auto train =
      std::make_shared<ImageLoader>(split.train, run.target.preprocessing, config.loader);
  LoaderOptions evaluation = evaluation_options(config.loader.batch_size);
  evaluation.workers = config.loader.workers;
  evaluation.decode = config.loader.decode;
  evaluation.num_classes = train->num_classes();
  run.train = nn::batches_of(train);
  run.held_out = nn::batches_of(
      std::make_shared<ImageLoader>(split.held_out, run.target.preprocessing, evaluation));
  run.train_size = std::ssize(split.train.samples);
  run.held_out_size = std::ssize(split.held_out.samples);
  run.samples = "pictures";
  run.write_held_out = [pictures = split.held_out](const fs::path& folder) {
    write_held_out(pictures, folder / "held_out.txt");
  };
  return run;
}

}  // namespace tokensieve::cli
