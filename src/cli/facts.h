#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokensieve/io/model_folder.h"

namespace tokensieve::cli {

// What the facts of pictures' and of texts' models are written with.

/// "6", or "6 6 4 6" where blocks differ.
std::string per_block(const std::vector<int>& values);

/// How many labels there are and the first ones: "10: tench, English springer, ..."; "none".
std::string labels_text(const std::vector<std::string>& labels);

/// sieve.json's provenance; null without one.
nlohmann::ordered_json provenance_json(const ModelFolder& model);
/// sieve.json's calibrations.
nlohmann::ordered_json calibrations_json(const ModelFolder& model);

/// Bytes of the weights of a folder or a file, predictors included.
std::uintmax_t weight_bytes(const std::filesystem::path& path);

/// Values of all tensors together, those of predictors included.
int64_t count_parameters(const ModelFolder& model);
int64_t count_values(const WeightSource& weights);

/// Facts as lines of a name and a value, wrapped to the terminal's width.
class FactLines {
 public:
  explicit FactLines(const std::filesystem::path& path);
  void add(std::string name, const std::string& value);
  /// The parameters with their megabytes.
  void add_parameters(const std::filesystem::path& path, const ModelFolder& model);
  /// A line for each key of sieve.json's provenance.
  void add_provenance(const ModelFolder& model);
  const std::string& str() const { return text_; }

 private:
  std::string text_;
  size_t width_;
};

}  // namespace tokensieve::cli
