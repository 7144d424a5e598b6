#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "model_fixture.h"
#include "tokensieve/io/model_folder.h"

namespace tokensieve::test {

/// A folder as timm's save_for_hf writes it.
inline FolderFixture timm_folder(const VitConfig& vit = tiny_vit()) {
  FolderFixture fixture;
  fixture.shapes = vit_tensors(vit);
  fixture.config = {{"architecture", vit.name},
                    {"num_classes", vit.num_classes},
                    {"num_features", vit.embed_dim},
                    {"global_pool", vit.pooling == Pooling::mean ? "avg" : "token"},
                    {"model_args",
                     {{"num_heads", vit.embed_dim / vit.head_dim},
                      {"img_size", {vit.image_height, vit.image_width}}}},
                    {"pretrained_cfg",
                     {{"input_size", {3, vit.image_height, vit.image_width}},
                      {"interpolation", "bilinear"},
                      {"crop_pct", 0.9},
                      {"crop_mode", "squash"},
                      {"mean", {0.5, 0.4, 0.3}},
                      {"std", {0.2, 0.25, 0.5}}}}};
  return fixture;
}

/// Opens the tiny folder after `change` and expects a runtime_error that says `message`.
inline void check_refused(const std::function<void(FolderFixture&)>& change,
                          const std::string& message) {
  FolderFixture fixture = timm_folder();
  change(fixture);
  const auto folder = fixture.write();
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(folder), Catch::Contains(message));
}

inline void check_config_refused(const std::string& pointer, const nlohmann::json& value,
                                 const std::string& message) {
  CAPTURE(pointer, value.dump());
  check_refused(
      [&](FolderFixture& fixture) {
        fixture.config[nlohmann::json::json_pointer(pointer)] = value;
      },
      message);
}

inline VitConfig changed(const std::function<void(VitConfig&)>& change) {
  VitConfig vit = tiny_vit();
  change(vit);
  return vit;
}

}  // namespace tokensieve::test
