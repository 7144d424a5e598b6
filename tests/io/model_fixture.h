#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "temp_folder.h"
#include "tokensieve/core/vit_config.h"
#include "tokensieve/io/file.h"
#include "tokensieve/io/model_folder.h"
#include "tokensieve/io/safetensors.h"
#include "tokensieve/io/vit_tensors.h"

namespace tokensieve::test {

/// Shapes of a file's tensors by name.
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// A network of two blocks, width 8, two heads and patches of 4 pixels, for images of 8 x 12.
inline VitConfig tiny_vit() {
  VitConfig config;
  config.name = "vit_tiny_patch16_224";
  config.image_height = 8;
  config.image_width = 12;
  config.patch_size = 4;
  config.embed_dim = 8;
  config.head_dim = 4;
  config.num_heads = {2, 2};
  config.mlp_dim = {16, 16};
  config.num_classes = 3;
  return config;
}

/// The values that write_tensors gives a tensor: no two tensors start alike, and bf16 holds them.
inline std::vector<float> values_of(const std::string& name, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  const auto first = static_cast<float>(std::accumulate(name.begin(), name.end(), 0) % 97);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (first + static_cast<float>(i % 31)) / 128;
  }
  return values;
}

inline std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies{});
}

inline void write_tensors(const std::filesystem::path& path, const Shapes& shapes) {
  std::vector<std::vector<float>> values;
  std::vector<TensorData> tensors;
  for (const auto& [name, shape] : shapes) {
    values.push_back(values_of(name, count_of(shape)));
    tensors.push_back({name, DType::F32, shape, std::as_bytes(std::span(values.back()))});
  }
  write_safetensors(path, tensors, {{"format", "pt"}});
}

/// A model folder to be opened, changed and opened again.
struct FolderFixture {
  std::shared_ptr<TempFolder> folder = std::make_shared<TempFolder>();
  Shapes shapes;
  nlohmann::json config;

  /// Writes model.safetensors and config.json and returns the folder.
  const std::filesystem::path& write() const {
    write_tensors(*folder / "model.safetensors", shapes);
    write_text_file(*folder / "config.json", config.dump());
    return folder->path();
  }
};

/// A model in memory, its tensors filled as write_tensors fills them.
inline ModelFolder model_of(const VitConfig& vit) {
  auto weights = std::make_shared<MemoryWeights>();
  for (const auto& [name, shape] : vit_tensors(vit)) {
    weights->set(name, shape, values_of(name, count_of(shape)));
  }
  ModelFolder model;
  model.vit = vit;
  model.preprocessing.height = 8;
  model.preprocessing.width = 12;
  model.weights = weights;
  return model;
}

inline void check_same_weights(const WeightSource& a, const WeightSource& b) {
  REQUIRE(a.names() == b.names());
  for (const std::string& name : a.names()) {
    CAPTURE(name);
    CHECK(a.read(name, b.shape(name)) == b.read(name, b.shape(name)));
  }
}

}  // namespace tokensieve::test
