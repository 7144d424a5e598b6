#include "open_samples.h"

#include <algorithm>
#include <iostream>

#include "inputs.h"
#include "label_map.h"
#include "tokensieve/core/error.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

bool has_pictures_of_its_own(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (has_image_extension(entry.path())) return true;
  }
  return false;
}

bool has_folders(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) return true;
  }
  return false;
}

std::vector<Sample> unlabelled(const std::vector<fs::path>& paths) {
  std::vector<Sample> samples;
  for (const fs::path& path : paths) samples.push_back({path, -1});
  return samples;
}

std::vector<Sample> labelled(ImageDataset data, const ModelFolder& model,
                             std::string_view operation) {
  const std::vector<int> labels = labels_of(data, model, operation);
  for (size_t i = 0; i < labels.size(); ++i) data.samples[i].label = labels[i];
  return std::move(data.samples);
}

std::vector<Sample> any_pictures(const fs::path& data, const ModelFolder& model,
                                 std::string_view operation) {
  if (!fs::is_directory(data)) {
    ImageDataset list = read_image_list(data);
    const bool known =
        std::ranges::all_of(list.samples, [](const Sample& s) { return s.label >= 0; });
    if (known) return labelled(std::move(list), model, operation);
    return unlabelled(expand_inputs(std::span(&data, 1)));
  }
  if (!has_pictures_of_its_own(data) && has_folders(data)) {
    try {
      return labelled(open_image_folder(data), model, operation);
    } catch (const std::runtime_error& error) {
      std::cerr << "note: no accuracy, the pictures count as unlabelled: " << error.what() << "\n";
    }
  }
  const auto paths = find_images(data);
  check_runtime(!paths.empty(), "[", operation, "] no pictures in ", data.string());
  return unlabelled(paths);
}

std::unique_ptr<const Samples> open_texts(const fs::path& data, const LoadedModel& model,
                                          const SampleOptions& options, std::string_view operation,
                                          bool need_labels) {
  const TextClassifier& classifier = model.texts(operation);
  const int most = classifier.bert().config().max_positions;
  const int max_length = options.max_length > 0 ? options.max_length : most;
  check_argument(max_length <= most, "[", operation, "] --max-length: expected at most ", most,
                 " tokens, as the model reads, got ", max_length);
  const int classes = model.num_classes(operation);
  auto tokenizer = tokenizer_of(classifier, operation);
  tokenizer->encode_pair("", "", max_length);  // says so if that is too few
  auto texts = std::make_shared<TextDataset>(read_text_dataset(data));
  const bool known =
      std::ranges::all_of(texts->samples, [](const TextSample& s) { return s.label >= 0; });
  for (size_t i = 0; i < texts->samples.size(); ++i) {
    int& label = texts->samples[i].label;
    check_runtime(label >= 0 || !need_labels, "[", operation, "] text ", i + 1, " of ",
                  data.string(), " has no label; give each a \"label\"");
    check_runtime(label < classes, "[", operation, "] text ", i + 1, " of ", data.string(),
                  " has label ", label, ", but the model has ", classes,
                  " classes, counted from 0");
    if (!known) label = -1;
  }
  return std::make_unique<TextSamples>(std::move(texts), std::move(tokenizer), max_length);
}

}  // namespace

std::unique_ptr<const Samples> open_labelled(const fs::path& data, const LoadedModel& model,
                                             const SampleOptions& options,
                                             std::string_view operation) {
  check_exists(operation, data);
  if (model.reads_texts()) return open_texts(data, model, options, operation, true);
  ImageDataset pictures = fs::is_directory(data) ? open_image_folder(data) : read_image_list(data);
  return std::make_unique<PictureSamples>(model.pictures(operation),
                                          labelled(std::move(pictures), model.folder(), operation),
                                          options.decode);
}

std::unique_ptr<const Samples> open_samples(const fs::path& data, const LoadedModel& model,
                                            const SampleOptions& options,
                                            std::string_view operation) {
  check_exists(operation, data);
  if (model.reads_texts()) return open_texts(data, model, options, operation, false);
  return std::make_unique<PictureSamples>(
      model.pictures(operation), any_pictures(data, model.folder(), operation), options.decode);
}

}  // namespace tokensieve::cli
