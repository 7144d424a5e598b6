#include "model/labels.h"

#include <iterator>

#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"

namespace tokensieve {
namespace {

constexpr std::size_t kMaxLabelBytes = 1000;

}  // namespace

std::vector<std::string> read_labels(const JsonObject& object,
                                     std::initializer_list<std::string_view> keys,
                                     int num_classes) {
  for (const std::string_view key : keys) {
    const nlohmann::json& names = object.get(key);
    if (names.is_null()) continue;
    const auto count = static_cast<std::size_t>(num_classes);
    if (!names.is_array() && !names.is_object()) object.fail(key, "a list or an object");
    if (names.size() != count) {
      fail_runtime("[model_folder] ", object.file(), ": expected ", count,
                   " names, one a class, in '", key, "', got ", names.size());
    }
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      if (names.is_object() && !names.contains(number)) {
        object.fail(key, cat("names of 0 to ", count - 1, ", one of which is missing"));
      }
      const nlohmann::json& name = names.is_object() ? names[number] : names[i];
      const auto* label = name.get_ptr<const std::string*>();
      if (!label || label->size() > kMaxLabelBytes) {
        object.fail(key, cat("strings of at most ", kMaxLabelBytes, " bytes"));
      }
      labels.push_back(printable(*label, 4 * kMaxLabelBytes));
    }
    return labels;
  }
  return {};
}

std::vector<std::string> read_hf_labels(const JsonObject& config, int num_classes) {
  if (num_classes == 0) return {};  // a backbone's config still carries two placeholders
  auto labels = read_labels(config, {"id2label"}, num_classes);
  for (int i = 0; i < std::ssize(labels); ++i) {
    if (labels[i] != cat("LABEL_", i)) return labels;
  }
  return {};
}

}  // namespace tokensieve
