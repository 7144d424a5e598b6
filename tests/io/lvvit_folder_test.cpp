#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "model_fixture.h"
#include "tokensieve/core/error.h"
#include "tokensieve/io/model_folder.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

namespace {

VitConfig tiny_lvvit() {
  VitConfig vit = tiny_vit();
  vit.name = "lvvit_s";
  vit.stem_channels = 5;
  vit.aux_head = true;
  vit.skip_lam = 2.0f;
  vit.qkv_bias = false;
  vit.layer_norm_eps = 1e-5f;
  return vit;
}

FolderFixture lvvit_folder(const VitConfig& vit = tiny_lvvit()) {
  FolderFixture fixture;
  fixture.shapes = vit_tensors(vit);
  fixture.config = {{"architecture", vit.name},
                    {"model_args", {{"num_heads", 2}, {"img_size", {8, 12}}}}};
  return fixture;
}

void check_refused(const std::function<void(FolderFixture&)>& change, const std::string& message) {
  FolderFixture fixture = lvvit_folder();
  change(fixture);
  const auto folder = fixture.write();
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(folder), Contains(message));
}

}  // namespace

TEST_CASE("LV-ViT's tensors are its authors' with the batch norms folded", "[io][lvvit]") {
  VitConfig vit;
  vit.num_heads.assign(16, 6);
  vit.mlp_dim.assign(16, 1152);
  vit.stem_channels = 64;
  vit.aux_head = true;
  vit.qkv_bias = false;
  const Shapes shapes = vit_tensors(vit);
  CHECK(shapes.at("patch_embed.conv1.weight") == std::vector<int64_t>{64, 3, 7, 7});
  CHECK(shapes.at("patch_embed.conv1.bias") == std::vector<int64_t>{64});
  CHECK(shapes.at("patch_embed.conv2.weight") == std::vector<int64_t>{64, 64, 3, 3});
  CHECK(shapes.at("patch_embed.conv3.weight") == std::vector<int64_t>{64, 64, 3, 3});
  CHECK(shapes.at("patch_embed.proj.weight") == std::vector<int64_t>{384, 64, 8, 8});
  CHECK(shapes.at("aux_head.weight") == std::vector<int64_t>{1000, 384});
  int64_t parameters = 0;
  for (const auto& [name, shape] : shapes) parameters += count_of(shape);
  // 26,151,824 with the batch norms' scale and shift, of which the shift alone is left.
  CHECK(parameters == 26'151'824 - 3 * 64);
}

TEST_CASE("An LV-ViT folder gives its config and the published preprocessing", "[io][lvvit]") {
  FolderFixture fixture = lvvit_folder();
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit == tiny_lvvit());
  CHECK(model.preprocessing.mean[0] == 0.485f);
  fixture.config["architecture"] = "lvvit_t";
  CHECK(open_model_folder(fixture.write()).vit.skip_lam == 1.0f);
  fixture.config["architecture"] = "lvvit_l";
  CHECK(open_model_folder(fixture.write()).vit.skip_lam == 3.0f);
  fixture.config["tokensieve"] = {{"skip_lam", 1.5}};
  CHECK(open_model_folder(fixture.write()).vit.skip_lam == 1.5f);
}

TEST_CASE("A lone LV-ViT file opens under the name of its architecture", "[io][lvvit]") {
  const TempFolder folder;
  VitConfig vit = tiny_lvvit();
  vit.image_width = 8;
  vit.head_dim = 2;
  vit.num_heads = {4, 4};
  vit.name = "lvvit_t";
  vit.skip_lam = 1.0f;
  const auto file = folder / "model.safetensors";
  write_tensors(file, vit_tensors(vit));
  const ModelFolder model = open_model_file(file, "lvvit_t");
  CHECK(model.vit == vit);
  CHECK(model.preprocessing.crop_pct == 0.9);
}

TEST_CASE("LV-ViT folders are saved and open again as they were", "[io][lvvit]") {
  VitConfig vit = tiny_lvvit();
  SECTION("LV-ViT-S") {}
  SECTION("another divisor") { vit.skip_lam = 1.25f; }
  SECTION("one head") { vit.aux_head = false; }
  SECTION("a stem alone") {
    vit.skip_lam = 1.0f;
    vit.aux_head = false;
    vit.layer_norm_eps = 1e-6f;
  }
  SECTION("no stem") { vit.stem_channels = 0; }
  SECTION("blocks that differ") { vit.num_heads = {1, 2}; }
  FolderFixture fixture = lvvit_folder(vit);
  fixture.config["tokensieve"] = {{"skip_lam", vit.skip_lam},
                                  {"layer_norm_eps", vit.layer_norm_eps}};
  const ModelFolder model = open_model_folder(fixture.write());
  REQUIRE(model.vit == vit);
  const TempFolder target;
  save_model_folder(model, target / "saved");
  const ModelFolder saved = open_model_folder(target / "saved");
  CHECK(saved.vit == vit);
  for (const auto& [name, shape] : vit_tensors(vit)) {
    CHECK(saved.weights->read(name, shape) == model.weights->read(name, shape));
  }
}

TEST_CASE("A network with LV-ViT's parts is never saved under a name of timm's", "[io][lvvit]") {
  const auto change = GENERATE(
      as<std::function<void(VitConfig&)>>{}, [](VitConfig& c) { c.stem_channels = 5; },
      [](VitConfig& c) { c.aux_head = true; }, [](VitConfig& c) { c.skip_lam = 2.0f; });
  VitConfig vit = tiny_vit();
  change(vit);
  FolderFixture fixture = lvvit_folder(vit);
  fixture.config["tokensieve"] = {{"skip_lam", vit.skip_lam}};
  const ModelFolder model = open_model_folder(fixture.write());
  const TempFolder target;
  save_model_folder(model, target / "saved");
  const json config = json::parse(read_text_file(target / "saved" / "config.json", 1 << 20));
  CHECK(config["architecture"] == "lvvit_s");
  vit.name = "lvvit_s";
  CHECK(open_model_folder(target / "saved").vit == vit);
}

TEST_CASE("Tensors that make no LV-ViT are refused by name", "[io][lvvit]") {
  const auto with = [](const char* name, std::vector<int64_t> shape, const char* message) {
    CAPTURE(name);
    check_refused([&](FolderFixture& fixture) { fixture.shapes[name] = shape; }, message);
  };
  with("patch_embed.bn1.weight", {5}, "batch norms must be folded; convert it with");
  with("patch_embed.bn3.num_batches_tracked", {}, "batch norms must be folded");
  with("patch_embed.conv1.weight", {5, 3, 7}, "to have 4 sides");
  with("patch_embed.conv1.weight", {5, 3, 5, 5}, "of shape [5, 3, 7, 7], got [5, 3, 5, 5]");
  with("patch_embed.conv1.weight", {5, 4, 7, 7}, "expected a model of 3 channels, got 4");
  with("patch_embed.conv1.weight", {0, 3, 7, 7}, "to have channels, got none");
  with("patch_embed.conv1.weight", {2000, 3, 7, 7}, "expected stem_channels in [0, 1024]");
  with("patch_embed.conv2.weight", {5, 5, 7, 7},
       "'patch_embed.conv2.weight' of shape [5, 5, 3, 3]");
  with("patch_embed.conv3.bias", {4}, "'patch_embed.conv3.bias' of shape [5], got [4]");
  with("patch_embed.conv4.weight", {5, 5, 3, 3}, "got the tensor 'patch_embed.conv4.weight'");
  with("patch_embed.proj.weight", {8, 4, 2, 2}, "of shape [8, 5, 2, 2], got [8, 4, 2, 2]");
  with("aux_head.weight", {4, 8}, "'aux_head.weight' of shape [3, 8], got [4, 8]");
  with("head_dist.weight", {3, 8}, "got the tensor 'head_dist.weight'");
  with("dist_token", {1, 1, 8}, "");
  for (const char* name : {"patch_embed.conv1.bias", "patch_embed.conv2.weight", "aux_head.bias"}) {
    check_refused([&](FolderFixture& fixture) { fixture.shapes.erase(name); },
                  cat("expected a tensor '", name, "'"));
  }
  check_refused(
      [](FolderFixture& fixture) {
        fixture.shapes.erase("head.weight");
        fixture.shapes.erase("head.bias");
      },
      "beside aux_head, got none");
}

TEST_CASE("skip_lam of config.json is a number above 0", "[io][lvvit]") {
  for (const json& value : {json(0), json(-2), json("2"), json(1e9), json(nullptr)}) {
    CAPTURE(value.dump());
    check_refused(
        [&](FolderFixture& f) {
          f.config["tokensieve"] = {{"skip_lam", value}};
        },
        "'tokensieve.skip_lam'");
  }
}
