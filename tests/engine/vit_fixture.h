#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "plain_predictor.h"
#include "plain_vit.h"
#include "random_model.h"
#include "tokensieve/core/recipe.h"
#include "tokensieve/engine/vit.h"

namespace tokensieve::test {

/// Four blocks of width 48 and three heads, for images of 7 x 7 patches.
inline VitConfig tiny() {
  VitConfig config;
  config.image_height = config.image_width = 56;
  config.patch_size = 8;
  config.embed_dim = 48;
  config.head_dim = 16;
  config.num_heads = std::vector<int>(4, 3);
  config.mlp_dim = std::vector<int>(4, 96);
  config.num_classes = 11;
  return config;
}

/// A random network with predictors for so many sites, and its oracle.
struct Model {
  explicit Model(VitConfig config_, int num_predictors = 0)
      : config(std::move(config_)),
        weights(config, 1),
        predictors(config.embed_dim, num_predictors, 300),
        vit(config, weights.source(), num_predictors > 0 ? &predictors.source() : nullptr) {}

  std::vector<RunOutput> run(std::span<const PixelsView> images,
                             const std::string& recipe = "dense", int threads = 2) {
    return vit.run(images, Recipe::parse(recipe).compile(config.depth()), workspace, threads);
  }
  std::vector<float> plain(const PixelsView& image, const std::string& recipe = "dense") {
    PlainPredictor predictor(predictors.source());
    return PlainVit(config, weights.source(), &predictor)(
        image, Recipe::parse(recipe).compile(config.depth()));
  }

  VitConfig config;
  RandomWeights weights;
  RandomPredictors predictors;
  Vit vit;
  Workspace workspace;
};

/// Pictures that stay alive as long as their views.
struct Pictures {
  void add(int height, int width, uint32_t seed) {
    pixels.push_back(random_values(int64_t{3} * height * width, seed, 1.5f));
    sizes.push_back({height, width});
  }
  std::vector<PixelsView> views() const {
    std::vector<PixelsView> result;
    for (size_t i = 0; i < pixels.size(); ++i) {
      result.push_back({pixels[i].data(), sizes[i].first, sizes[i].second});
    }
    return result;
  }
  std::vector<std::vector<float>> pixels;
  std::vector<std::pair<int, int>> sizes;
};

inline Pictures same_size(int count) {
  Pictures pictures;
  for (int i = 0; i < count; ++i) pictures.add(56, 56, 100 + i);
  return pictures;
}

/// Every value of `a` is within `relative` of the largest of `b`.
inline void check_close(const std::vector<float>& a, const std::vector<float>& b,
                        float relative = 1e-4f) {
  REQUIRE(a.size() == b.size());
  float scale = 0.0f;
  for (const float value : b) scale = std::max(scale, std::fabs(value));
  for (size_t i = 0; i < a.size(); ++i) {
    INFO("index " << i << ": " << a[i] << " against " << b[i]);
    REQUIRE(std::fabs(a[i] - b[i]) <= relative * scale);
  }
}

/// A batch of pictures gives each what it gets alone, in either order and on one or two threads.
inline void check_batch_equals_alone(Model& model, const Pictures& pictures,
                                     const std::string& recipe) {
  auto views = pictures.views();
  const auto together = model.run(views, recipe);
  std::reverse(views.begin(), views.end());
  const auto reversed = model.run(views, recipe, 1);
  for (size_t i = 0; i < views.size(); ++i) {
    const auto alone = model.run(std::span(&views[i], 1), recipe)[0];
    const RunOutput& first = together[views.size() - 1 - i];
    CHECK(alone.trace.kept_indices() == first.trace.kept_indices());
    CHECK(alone.trace.kept_indices() == reversed[i].trace.kept_indices());
    CHECK(alone.layers == first.layers);
    CHECK(alone.macs.total() == first.macs.total());
    check_close(alone.logits, first.logits, 1e-5f);
    check_close(alone.logits, reversed[i].logits, 1e-5f);
  }
}

}  // namespace tokensieve::test
