#include "facts.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "table.h"
#include "terminal.h"
#include "tokensieve/core/error.h"
#include "tokensieve/core/printable.h"
#include "tokensieve/io/calibration_file.h"

namespace tokensieve::cli {
namespace {

using json = nlohmann::ordered_json;

// An object as "key value, key (key value)", numbers to four digits.
std::string words_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return cat(std::setprecision(4), value.get<double>());
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [key, inner] : value.items()) {
    const std::string words = words_of(inner);
    text +=
        (text.empty() ? "" : ", ") + key + (inner.is_object() ? " (" + words + ")" : " " + words);
  }
  return text;
}

// 0 for a file that is not there.
std::uintmax_t bytes_of(const std::filesystem::path& file) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(file, missing);
  return missing ? 0 : bytes;
}

// Words in lines of at most `width` columns, later ones indented.
std::string wrapped(const std::string& text, size_t width, size_t indent) {
  std::istringstream words(text);
  std::string result, word;
  size_t column = 0;
  while (words >> word) {
    const size_t length = display_width(word);
    if (column > 0 && column + 1 + length > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    }
    result += (column > 0 ? " " : "") + word;
    column += length + (column > 0 ? 1 : 0);
  }
  return result;
}

}  // namespace

std::string per_block(const std::vector<int>& values) {
  std::string text;
  bool same = true;
  for (const int value : values) {
    same = same && value == values.front();
    text += (text.empty() ? "" : " ") + std::to_string(value);
  }
  return same && !values.empty() ? std::to_string(values.front()) : text;
}

std::string labels_text(const std::vector<std::string>& labels) {
  constexpr size_t kShown = 10;
  if (labels.empty()) return "none";
  std::string text = std::to_string(labels.size()) + ":";
  for (size_t i = 0; i < std::min(kShown, labels.size()); ++i) {
    text += (i > 0 ? ", " : " ") + shorten(labels[i], 30);
  }
  return text + (labels.size() > kShown ? ", ..." : "");
}

json provenance_json(const ModelFolder& model) {
  return model.provenance.empty() ? json() : json::parse(model.provenance, nullptr, false);
}

json calibrations_json(const ModelFolder& model) {
  json calibrations = json::array();
  for (const Calibration& calibration : model.calibrations) {
    calibrations.push_back(json::parse(calibration_json(calibration)));
  }
  return calibrations;
}

std::uintmax_t weight_bytes(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return bytes_of(path);
  return bytes_of(path / "model.safetensors") + bytes_of(path / "sieve.safetensors");
}

int64_t count_values(const WeightSource& weights) {
  int64_t count = 0;
  for (const std::string& name : weights.names()) {
    int64_t values = 1;
    for (const int64_t side : weights.shape(name)) values *= side;
    count += values;
  }
  return count;
}

int64_t count_parameters(const ModelFolder& model) {
  return count_values(*model.weights) + (model.sieve ? count_values(*model.sieve) : 0);
}

FactLines::FactLines(const std::filesystem::path& path)
    : text_(bold(printable(path.string(), std::string::npos)) + "\n"),
      width_(static_cast<size_t>(std::max(60, terminal_width())) - 18) {}

void FactLines::add(std::string name, const std::string& value) {
  name.resize(14, ' ');
  text_ += "  " + dim(name) + "  " + wrapped(value, width_, 18) + "\n";
}

void FactLines::add_parameters(const std::filesystem::path& path, const ModelFolder& model) {
  add("parameters", cat(fixed(static_cast<double>(count_parameters(model)) / 1e6, 2), " million, ",
                        fixed(static_cast<double>(weight_bytes(path)) / 1e6, 1), " MB on disk"));
}

void FactLines::add_provenance(const ModelFolder& model) {
  const json provenance = provenance_json(model);
  if (!provenance.is_object()) return;
  for (const auto& [key, value] : provenance.items()) {
    add(printable(key), printable(words_of(value), std::string::npos));
  }
}

}  // namespace tokensieve::cli
