#include "tokensieve/io/picture_set.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "tokensieve/core/error.h"
#include "tokensieve/core/nearest_word.h"
#include "tokensieve/io/file.h"

namespace tokensieve {
namespace {

namespace fs = std::filesystem;

/// Folders cannot always be named as labels are: "golf_ball" is "golf ball".
std::string plain(std::string name) {
  for (char& letter : name) {
    letter = letter == '_' || letter == '-'
                 ? ' '
                 : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return name;
}

bool is_wordnet_id(const std::string& name) {
  return name.size() == 9 && name.front() == 'n' &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether folders, which come in the order of their names, are in the order of the classes: where
/// classes have no names of their own (none, or "LABEL_3"), or both are ImageNet's thousand, whose
/// classes stand in the order of their WordNet ids. Elsewhere it would be by chance.
bool are_in_order(const std::vector<std::string>& folders, const ModelClasses& classes) {
  if (folders.size() != static_cast<size_t>(classes.count)) return false;
  const auto has_no_name = [](const std::string& label) {
    return label.starts_with("LABEL_") || label.find_first_not_of("0123456789") == label.npos;
  };
  if (std::ranges::all_of(classes.labels, has_no_name)) return true;
  return classes.count == 1000 && std::ranges::all_of(folders, is_wordnet_id);
}

/// The model's class of each of `names`.
std::vector<int> match(const std::vector<std::string>& names, const ModelClasses& classes,
                       std::string& note, std::string_view operation) {
  std::vector<int> matched;
  const std::string* stranger = nullptr;
  for (const std::string& name : names) {
    const auto same = [&](const std::string& label) { return plain(label) == plain(name); };
    const auto found = std::ranges::find_if(classes.labels, same);
    if (found != classes.labels.end()) {
      matched.push_back(static_cast<int>(found - classes.labels.begin()));
    } else if (stranger == nullptr) {
      stranger = &name;
    }
  }
  if (stranger == nullptr) return matched;
  if (matched.empty() && are_in_order(names, classes)) {
    if (!classes.labels.empty()) {
      note =
          cat("the class folders have other names than the model's labels; matched by position: '",
              names[0], "' is taken for '", classes.labels[0], "'");
    }
    matched.resize(names.size());
    std::iota(matched.begin(), matched.end(), 0);
    return matched;
  }
  const std::vector<std::string> labels(classes.labels.begin(), classes.labels.end());
  if (labels.empty()) {
    fail_runtime("[", operation, "] expected ", classes.count,
                 " class folders, as many as the model has classes, got ", names.size());
  }
  fail_runtime("[", operation, "] expected class folders named like the model's ", classes.count,
               " labels, such as '", labels.front(), "', got ", names.size(),
               " folders, one of them '", *stranger, "'", did_you_mean(*stranger, labels),
               "; rename them, or pass a list of paths with the numbers of classes");
}

PictureSet labelled(ImageDataset data, const ModelClasses& classes, std::string_view operation) {
  check_runtime(classes.count > 0, "[", operation, "] this model has no classifier");
  PictureSet set{std::move(data.samples), {}};
  std::vector<int> places(static_cast<size_t>(classes.count));
  std::iota(places.begin(), places.end(), 0);
  if (!data.classes.empty()) places = match(data.classes, classes, set.note, operation);
  for (Sample& sample : set.samples) {
    check_runtime(sample.label >= 0, "[", operation, "] ", sample.path.string(),
                  " has no label; write it after the path, with a tab between");
    check_runtime(static_cast<size_t>(sample.label) < places.size(), "[", operation, "] ",
                  sample.path.string(), " has label ", sample.label, ", but the model has ",
                  places.size(), " classes, counted from 0");
    sample.label = places[static_cast<size_t>(sample.label)];
  }
  return set;
}

void check_is_list_or_folder(const fs::path& data, std::string_view operation) {
  const std::string extension = lower_extension(data);
  check_runtime(fs::is_directory(data) || extension == ".txt" || extension == ".tsv", "[",
                operation, "] expected a folder of pictures or a list, .txt or .tsv, got ",
                data.string());
}

PictureSet unlabelled(const std::vector<fs::path>& paths) {
  PictureSet set;
  for (const fs::path& path : paths) set.samples.push_back({path, -1});
  return set;
}

/// Whether the folder has class folders and no pictures beside them.
bool has_classes_alone(const fs::path& folder) {
  bool folders = false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (has_image_extension(entry.path())) return false;
    folders = folders || entry.is_directory();
  }
  return folders;
}

}  // namespace

PictureSet open_labelled_pictures(const fs::path& data, const ModelClasses& classes,
                                  std::string_view operation) {
  check_is_list_or_folder(data, operation);
  return labelled(fs::is_directory(data) ? open_image_folder(data) : read_image_list(data), classes,
                  operation);
}

PictureSet open_pictures(const fs::path& data, const ModelClasses& classes,
                         std::string_view operation) {
  check_is_list_or_folder(data, operation);
  if (!fs::is_directory(data)) {
    ImageDataset list = read_image_list(data);
    const bool known =
        std::ranges::all_of(list.samples, [](const Sample& s) { return s.label >= 0; });
    if (known) return labelled(std::move(list), classes, operation);
    return unlabelled(expand_inputs(std::span(&data, 1)));
  }
  std::string note;
  if (has_classes_alone(data)) {
    try {
      return labelled(open_image_folder(data), classes, operation);
    } catch (const std::runtime_error& error) {
      note = cat("no accuracy, the pictures count as unlabelled: ", error.what());
    }
  }
  PictureSet set = unlabelled(find_images(data));
  check_runtime(!set.samples.empty(), "[", operation, "] no pictures in ", data.string());
  set.note = note;
  return set;
}

}  // namespace tokensieve
