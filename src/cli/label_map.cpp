#include "label_map.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <numeric>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"

namespace tokensieve::cli {
namespace {

std::string plain(std::string name) {
  for (char& letter : name) {
    letter = letter == '_' || letter == '-'
                 ? ' '
                 : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return name;
}

// The model's class of each class of the data set.
std::vector<int> match_classes(const std::vector<std::string>& classes, const ModelFolder& model,
                               std::string_view operation) {
  std::vector<int> matched;
  const std::string* stranger = nullptr;
  for (const std::string& name : classes) {
    const auto same = [&](const std::string& label) { return plain(label) == plain(name); };
    const auto found = std::find_if(model.labels.begin(), model.labels.end(), same);
    if (found != model.labels.end()) {
      matched.push_back(static_cast<int>(found - model.labels.begin()));
    } else if (stranger == nullptr) {
      stranger = &name;
    }
  }
  if (stranger == nullptr) return matched;
  if (matched.empty() && classes.size() == static_cast<size_t>(model.vit.num_classes)) {
    if (!model.labels.empty()) {
      std::cerr
          << "tokensieve: the class folders have other names than the model's labels; matched by "
             "position: '"
          << classes[0] << "' is taken for '" << model.labels[0] << "'\n";
    }
    matched.resize(classes.size());
    std::iota(matched.begin(), matched.end(), 0);
    return matched;
  }
  fail_runtime("[", operation,
               "] expected class folders named like the model's labels, or as many as its ",
               model.vit.num_classes, " classes; got ", classes.size(), " folders, one of them '",
               *stranger, "'", did_you_mean(*stranger, model.labels));
}

}  // namespace

std::vector<int> labels_of(const ImageDataset& data, const ModelFolder& model,
                           std::string_view operation) {
  check_runtime(model.vit.num_classes > 0, "[", operation, "] this model has no classifier");
  std::vector<int> classes(static_cast<size_t>(model.vit.num_classes));
  std::iota(classes.begin(), classes.end(), 0);
  if (!data.classes.empty()) classes = match_classes(data.classes, model, operation);

  std::vector<int> labels;
  for (const Sample& sample : data.samples) {
    check_runtime(sample.label >= 0, "[", operation, "] ", sample.path.string(),
                  " has no label; write it behind the path, with a tab between");
    check_runtime(static_cast<size_t>(sample.label) < classes.size(), "[", operation, "] ",
                  sample.path.string(), " has label ", sample.label, ", but the model has ",
                  classes.size(), " classes, counted from 0");
    labels.push_back(classes[static_cast<size_t>(sample.label)]);
  }
  return labels;
}

}  // namespace tokensieve::cli
