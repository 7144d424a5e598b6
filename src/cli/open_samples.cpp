#include "open_samples.h"

#include <iostream>

#include "inputs.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/picture_set.h"

namespace tokensieve::cli {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<const Samples> pictures_of(PictureSet set, const LoadedModel& model,
                                           const SampleOptions& options,
                                           std::string_view operation) {
  if (!set.note.empty()) std::cerr << "note: " << set.note << "\n";
  return std::make_unique<PictureSamples>(model.pictures(operation), std::move(set.samples),
                                          options.decode);
}

ModelClasses classes_of(const LoadedModel& model) {
  return {model.folder().labels, model.folder().vit.num_classes};
}

std::unique_ptr<const Samples> texts_of(const fs::path& data, const LoadedModel& model,
                                        const SampleOptions& options, std::string_view operation,
                                        bool need_labels) {
  const TextClassifier& classifier = model.texts(operation);
  const int most = classifier.bert().config().max_positions;
  const int max_length = options.max_length > 0 ? options.max_length : most;
  check_argument(max_length <= most, "[", operation, "] --max-length: expected at most ", most,
                 " tokens, as the model reads, got ", max_length);
  const int classes = model.num_classes(operation);
  auto tokenizer = classifier.tokenizer();
  tokenizer->encode_pair("", "", max_length);  // says so if that is too few
  auto texts =
      std::make_shared<TextDataset>(need_labels ? open_labelled_texts(data, classes, operation)
                                                : open_texts(data, classes, operation));
  return std::make_unique<TextSamples>(std::move(texts), std::move(tokenizer), max_length);
}

}  // namespace

std::unique_ptr<const Samples> open_labelled(const fs::path& data, const LoadedModel& model,
                                             const SampleOptions& options,
                                             std::string_view operation) {
  check_exists(operation, data);
  if (model.reads_texts()) return texts_of(data, model, options, operation, true);
  return pictures_of(open_labelled_pictures(data, classes_of(model), operation), model, options,
                     operation);
}

std::unique_ptr<const Samples> open_samples(const fs::path& data, const LoadedModel& model,
                                            const SampleOptions& options,
                                            std::string_view operation) {
  check_exists(operation, data);
  if (model.reads_texts()) return texts_of(data, model, options, operation, false);
  return pictures_of(open_pictures(data, classes_of(model), operation), model, options, operation);
}

}  // namespace tokensieve::cli
