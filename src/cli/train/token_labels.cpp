#include "token_labels.h"

#include <algorithm>
#include <iostream>
#include <unordered_map>

#include "checksum.h"
#include "load_network.h"
#include "progress.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

nn::LabelMaps make_labels(const TrainConfig& config, const nn::Vit& annotator,
                          const Preprocessing& preprocessing, const ImageDataset& data) {
  LoaderOptions options = evaluation_options(config.loader.batch_size);
  options.workers = config.loader.workers;
  options.decode = config.loader.decode;
  ImageLoader loader(data, preprocessing, options);
  std::cerr << "the teacher labels " << data.samples.size() << " pictures\n";
  Progress progress("pictures", data.samples.size());
  size_t done = 0;
  return nn::annotate(annotator, loader, config.label_classes, config.train.device,
                      config.train.bf16,
                      [&](size_t pictures) { progress.update(done += pictures); });
}

/// Where the pictures of a part stand in the whole.
std::vector<int64_t> places_of(const ImageDataset& part, const ImageDataset& whole) {
  std::unordered_map<std::string, int64_t> places;
  for (const Sample& sample : whole.samples) {
    places.emplace(sample.path.string(), std::ssize(places));
  }
  std::vector<int64_t> found;
  for (const Sample& sample : part.samples) found.push_back(places.at(sample.path.string()));
  return found;
}

double share_right(const nn::LabelMaps& maps, const ImageDataset& pictures,
                   std::span<const int64_t> places) {
  constexpr size_t kAtOnce = 256;
  int64_t right = 0;
  for (size_t first = 0; first < places.size(); first += kAtOnce) {
    const auto some = places.subspan(first, std::min(kAtOnce, places.size() - first));
    const torch::Tensor best = maps.labels(some, {}, 1, 1).squeeze(1).argmax(1);
    for (size_t i = 0; i < some.size(); ++i) {
      right += best[static_cast<int64_t>(i)].item<int64_t>() == pictures.samples[first + i].label;
    }
  }
  return static_cast<double>(right) / static_cast<double>(places.size());
}

}  // namespace

Preprocessing whole_pictures(Preprocessing preprocessing) {
  preprocessing.crop_pct = 1.0;
  preprocessing.crop_mode = CropMode::squash;
  return preprocessing;
}

TokenLabels token_labels(const TrainConfig& config, const TrainPaths& paths,
                         const ImageDataset& data, const HeldOutSplit& split,
                         const ModelFolder& student) {
  check_runtime(!paths.teacher.empty(),
                "[train] expected --teacher, whose answers are the labels of token_labeling");
  const ModelFolder teacher = open_model_folder(paths.teacher);
  check_runtime(teacher.vit.num_classes == student.vit.num_classes &&
                    (teacher.labels.empty() || teacher.labels == student.labels),
                "[train] the teacher ", paths.teacher.string(),
                " has other classes than the data, or another order of them");
  const nn::Vit annotator =
      load_network(teacher, teacher.preprocessing.height, teacher.preprocessing.width);
  const Preprocessing preprocessing = whole_pictures(teacher.preprocessing);

  ImageDataset pictures = data;  // and those of a held-out folder of its own
  if (!paths.held_out.empty()) {
    pictures.samples.insert(pictures.samples.end(), split.held_out.samples.begin(),
                            split.held_out.samples.end());
  }
  Checksum checksum;
  checksum.add(*annotator);
  checksum.add(data, paths.data);
  if (!paths.held_out.empty()) checksum.add(split.held_out, paths.held_out);
  TokenLabels labels;
  labels.fingerprint = cat(checksum.value(), "|", preprocessing.height, "x", preprocessing.width,
                           "|", config.label_classes, "|", config.train.bf16 ? "bf16" : "f32");
  nn::LabelMaps all;
  if (fs::exists(paths.labels)) {
    all = nn::load_label_maps(paths.labels, student.vit.num_classes, labels.fingerprint);
    check_runtime(all.pictures() == std::ssize(pictures.samples), "[train] expected labels of ",
                  pictures.samples.size(), " pictures in ", paths.labels.string(), ", got ",
                  all.pictures());
  } else {
    all = make_labels(config, annotator, preprocessing, pictures);
    if (!paths.labels.empty()) nn::save_label_maps(paths.labels, all, labels.fingerprint);
  }
  labels.maps = all.select(places_of(split.train, pictures));
  labels.held_out_accuracy = share_right(all, split.held_out, places_of(split.held_out, pictures));
  std::cerr << "the teacher is right on " << 100 * labels.held_out_accuracy
            << " % of the held-out pictures\n";
  return labels;
}

}  // namespace tokensieve::cli
