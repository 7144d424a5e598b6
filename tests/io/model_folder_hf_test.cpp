#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "model_fixture.h"
#include "tokensieve/io/model_folder.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// Names of one generation of transformers, by timm's; {query, key, value} for qkv.
struct Names {
  std::string blocks, norm1, norm2, query, key, value, proj, fc1, fc2;
};
const Names kVit4 = {"encoder.layer.",
                     "layernorm_before",
                     "layernorm_after",
                     "attention.attention.query",
                     "attention.attention.key",
                     "attention.attention.value",
                     "attention.output.dense",
                     "intermediate.dense",
                     "output.dense"};
const Names kVit5 = {"layers.",          "layernorm_before", "layernorm_after",
                     "attention.q_proj", "attention.k_proj", "attention.v_proj",
                     "attention.o_proj", "mlp.fc1",          "mlp.fc2"};
const Names kDinov2 = {"encoder.layer.",
                       "norm1",
                       "norm2",
                       "attention.attention.query",
                       "attention.attention.key",
                       "attention.attention.value",
                       "attention.output.dense",
                       "mlp.fc1",
                       "mlp.fc2"};

/// Tensors of a tiny network as transformers saves it, without a head.
Shapes hf_shapes(const Names& names, const std::string& prefix, std::int64_t prefix_tokens = 1) {
  Shapes shapes = {{"embeddings.cls_token", {1, 1, 8}},
                   {"embeddings.position_embeddings", {1, 6 + prefix_tokens, 8}},
                   {"embeddings.patch_embeddings.projection.weight", {8, 3, 4, 4}},
                   {"embeddings.patch_embeddings.projection.bias", {8}},
                   {"layernorm.weight", {8}},
                   {"layernorm.bias", {8}}};
  for (const std::string block : {"0.", "1."}) {
    const std::string scope = names.blocks + block;
    const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
      shapes[scope + name + ".weight"] = {out, in};
      shapes[scope + name + ".bias"] = {out};
    };
    for (const auto& norm : {names.norm1, names.norm2}) {
      shapes[scope + norm + ".weight"] = {8};
      shapes[scope + norm + ".bias"] = {8};
    }
    for (const auto& name : {names.query, names.key, names.value, names.proj}) linear(name, 8, 8);
    linear(names.fc1, 16, 8);
    linear(names.fc2, 8, 16);
  }
  Shapes prefixed;
  for (const auto& [name, shape] : shapes) prefixed[prefix + name] = shape;
  return prefixed;
}

struct HfFixture : FolderFixture {
  json preprocessor = {{"do_resize", true},
                       {"size", {{"height", 8}, {"width", 12}}},
                       {"resample", 2},
                       {"do_rescale", true},
                       {"rescale_factor", 0.00392156862745098},
                       {"do_normalize", true},
                       {"image_mean", {0.5, 0.4, 0.3}},
                       {"image_std", {0.2, 0.25, 0.5}}};

  ModelFolder open() const {
    write();
    write_text_file(*folder / "preprocessor_config.json", preprocessor.dump());
    return open_model_folder(folder->path());
  }
};

/// ViTForImageClassification.
HfFixture hf_vit(const Names& names = kVit4) {
  HfFixture fixture;
  fixture.shapes = hf_shapes(names, "vit.");
  fixture.shapes["classifier.weight"] = {3, 8};
  fixture.shapes["classifier.bias"] = {3};
  fixture.config = {{"architectures", {"ViTForImageClassification"}},
                    {"model_type", "vit"},
                    {"hidden_act", "gelu"},
                    {"hidden_size", 8},
                    {"image_size", {8, 12}},
                    {"intermediate_size", 16},
                    {"layer_norm_eps", 1e-12},
                    {"num_attention_heads", 2},
                    {"num_channels", 3},
                    {"num_hidden_layers", 2},
                    {"patch_size", 4},
                    {"qkv_bias", true},
                    {"id2label", {{"0", "cat"}, {"1", "dog"}, {"2", "eel"}}}};
  return fixture;
}

VitConfig tiny_hf_vit() {
  VitConfig vit = tiny_vit();
  vit.name = "vit";
  vit.layer_norm_eps = 1e-12f;
  return vit;
}

void check_refused(const std::function<void(HfFixture&)>& change, const std::string& message) {
  HfFixture fixture = hf_vit();
  change(fixture);
  CHECK_THROWS_AS(fixture.open(), std::runtime_error);
  CHECK_THROWS_WITH(fixture.open(), Contains(message));
}

void check_config_refused(const char* key, const json& value, const std::string& message) {
  CAPTURE(key, value.dump());
  check_refused([&](HfFixture& fixture) { fixture.config[key] = value; }, message);
}

void check_preprocessor_refused(const char* key, const json& value, const std::string& message) {
  CAPTURE(key, value.dump());
  check_refused([&](HfFixture& fixture) { fixture.preprocessor[key] = value; }, message);
}

}  // namespace

TEST_CASE("A Hugging Face ViT opens under the names of transformers 4 and 5",
          "[io][model_folder][hf]") {
  const Names names = GENERATE(kVit4, kVit5);
  const ModelFolder model = hf_vit(names).open();
  CHECK(model.vit == tiny_hf_vit());
  CHECK(model.labels == std::vector<std::string>{"cat", "dog", "eel"});
  CHECK(model.preprocessing.height == 8);
  CHECK(model.preprocessing.width == 12);
  CHECK(model.preprocessing.crop_pct == 1.0);
  CHECK(model.preprocessing.crop_mode == CropMode::squash);
  CHECK(model.preprocessing.interpolation == Interpolation::bilinear);
  CHECK(model.preprocessing.mean == std::array{0.5f, 0.4f, 0.3f});
  CHECK(model.preprocessing.std == std::array{0.2f, 0.25f, 0.5f});
}

TEST_CASE("Query, key and value are served as one qkv", "[io][model_folder][hf]") {
  const ModelFolder model = hf_vit().open();
  std::vector<float> expected;
  for (const auto& name : {kVit4.query, kVit4.key, kVit4.value}) {
    const auto part = values_of("vit.encoder.layer.1." + name + ".weight", 64);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  CHECK(model.weights->read("blocks.1.attn.qkv.weight", std::vector<int64_t>{24, 8}) == expected);
  CHECK(model.weights->read("head.bias", std::vector<int64_t>{3}) ==
        values_of("classifier.bias", 3));
}

TEST_CASE("A bare Hugging Face model gives features; its pooler and mask token are left out",
          "[io][model_folder][hf]") {
  HfFixture fixture = hf_vit();
  fixture.shapes = hf_shapes(kVit4, "");
  fixture.shapes["pooler.dense.weight"] = {8, 8};
  fixture.shapes["pooler.dense.bias"] = {8};
  fixture.shapes["embeddings.mask_token"] = {1, 1, 8};
  const ModelFolder model = fixture.open();
  CHECK(model.vit.num_classes == 0);
  CHECK(model.labels.empty());
  CHECK_FALSE(model.weights->contains("pooler.dense.weight"));
}

TEST_CASE("A Hugging Face DeiT has two heads, or its distillation token is a register",
          "[io][model_folder][hf]") {
  HfFixture fixture = hf_vit();
  fixture.config["model_type"] = "deit";
  fixture.shapes = hf_shapes(kVit4, "deit.", 2);
  fixture.shapes["deit.embeddings.distillation_token"] = {1, 1, 8};
  VitConfig vit = tiny_hf_vit();
  vit.name = "deit";
  SECTION("DeiTForImageClassificationWithTeacher") {
    for (const std::string head : {"cls_classifier", "distillation_classifier"}) {
      fixture.shapes[head + ".weight"] = {3, 8};
      fixture.shapes[head + ".bias"] = {3};
    }
    vit.distilled = true;
  }
  SECTION("DeiTForImageClassification") {
    fixture.shapes["classifier.weight"] = {3, 8};
    fixture.shapes["classifier.bias"] = {3};
    vit.num_register_tokens = 1;
  }
  CHECK(fixture.open().vit == vit);
}

TEST_CASE("A Hugging Face DINOv2 backbone opens; its classifier is refused",
          "[io][model_folder][hf]") {
  HfFixture fixture = hf_vit();
  fixture.config["model_type"] = "dinov2";
  fixture.config.erase("intermediate_size");
  fixture.config["mlp_ratio"] = 2;
  fixture.config["layer_norm_eps"] = 1e-6;
  fixture.shapes = hf_shapes(kDinov2, "dinov2.");
  for (const std::string name :
       {"0.layer_scale1", "0.layer_scale2", "1.layer_scale1", "1.layer_scale2"}) {
    fixture.shapes["dinov2.encoder.layer." + name + ".lambda1"] = {8};
  }
  fixture.preprocessor.update({{"size", {{"shortest_edge", 37}}},
                               {"crop_size", {{"height", 32}, {"width", 32}}},
                               {"do_center_crop", true},
                               {"resample", 3}});
  const ModelFolder model = fixture.open();
  VitConfig vit = tiny_vit();
  vit.name = "dinov2";
  vit.num_classes = 0;
  vit.layer_scale = true;
  CHECK(model.vit == vit);
  CHECK(model.preprocessing.height == 32);
  CHECK(model.preprocessing.crop_mode == CropMode::center);
  CHECK(std::floor(32 / model.preprocessing.crop_pct) == 37);

  fixture.preprocessor["size"] = 37;  // the feature extractors of old, here the shortest edge
  CHECK(fixture.open().preprocessing.crop_mode == CropMode::center);
  fixture.config["mlp_ratio"] = 4;
  CHECK_THROWS_WITH(fixture.open(), Contains("'mlp_ratio' to be what the tensors say, 16 / 8"));
  fixture.config["mlp_ratio"] = 2;
  fixture.config["use_swiglu_ffn"] = true;
  CHECK_THROWS_WITH(fixture.open(), Contains("SwiGLU"));
  fixture.config["use_swiglu_ffn"] = false;
  fixture.shapes["classifier.weight"] = {3, 16};
  fixture.shapes["classifier.bias"] = {3};
  CHECK_THROWS_WITH(fixture.open(), Contains("beside the mean of the patches"));
}

TEST_CASE("Hugging Face's placeholder labels are none", "[io][model_folder][hf]") {
  HfFixture fixture = hf_vit();
  fixture.config["id2label"] = {{"0", "LABEL_0"}, {"1", "LABEL_1"}, {"2", "LABEL_2"}};
  CHECK(fixture.open().labels.empty());
  fixture.config.erase("id2label");
  CHECK(fixture.open().labels.empty());
  check_config_refused("id2label", {{"0", "cat"}, {"1", "dog"}}, "expected 3 names, one a class");
}

TEST_CASE("A Hugging Face config that is not of these tensors is refused by name",
          "[io][model_folder][hf]") {
  check_config_refused("model_type", "swin", "expected 'model_type' to be \"vit\"");
  check_config_refused("model_type", 1, "'model_type' to be a string");
  check_config_refused("hidden_act", "gelu_new", "'hidden_act' to be \"gelu\"");
  check_config_refused("hidden_size", 16, "'hidden_size' to be what the tensors say, 8");
  check_config_refused("hidden_size", "8", "'hidden_size' to be a number");
  check_config_refused("num_hidden_layers", 12,
                       "'num_hidden_layers' to be what the tensors say, 2");
  check_config_refused("intermediate_size", 32, "what the tensors say, 16");
  check_config_refused("num_channels", 1, "'num_channels'");
  check_config_refused("patch_size", 16, "'patch_size' to be what the tensors say, 4");
  check_config_refused("patch_size", {4, 8}, "'patch_size' to be what the tensors say, 4");
  check_config_refused("patch_size", {4}, "a height and a width");
  check_config_refused("qkv_bias", false, "'qkv_bias' to be what the tensors say, true");
  check_config_refused("image_size", 1e9, "'image_size' to be an integer");
  check_config_refused("layer_norm_eps", 0, "'layer_norm_eps' to be a number in");
  check_config_refused("layer_norm_eps", nullptr, "'layer_norm_eps' to be a number");
  check_config_refused("num_attention_heads", nullptr, "'num_attention_heads' to be an integer");
  check_config_refused("num_attention_heads", 3, "to divide the width 8");
}

TEST_CASE("Hugging Face tensors that are unknown or do not go together are refused",
          "[io][model_folder][hf]") {
  const auto with = [](const std::string& name, std::vector<int64_t> shape, const char* message) {
    CAPTURE(name);
    check_refused([&](HfFixture& fixture) { fixture.shapes[name] = shape; }, message);
  };
  const std::string block = "vit.encoder.layer.0.";
  with("decoder.0.weight", {8, 8}, "got the tensor 'decoder.0.weight'");
  with("vit.layers.0", {8}, "got the tensor 'vit.layers.0'");
  with("vit.encoder.layer.0.attention.rotary", {8}, "got the tensor 'vit.encoder.layer.0.att");
  with(block + "attention.q_proj.weight", {8, 8}, "got the tensor 'vit.encoder.layer.0.att");
  with(block + kVit4.key + ".weight", {8, 4}, "key.weight' to go below a tensor of shape [8, 8]");
  with(block + kVit4.key + ".weight", {4, 8}, "to have a multiple of 3 rows");
  check_refused([&](HfFixture& fixture) { fixture.shapes.erase(block + kVit4.value + ".bias"); },
                "expected 'blocks.0.attn.qkv.bias' of shape [24], got [16]");
}

TEST_CASE("Preprocessing that tokensieve does not do is refused by name",
          "[io][model_folder][hf]") {
  check_preprocessor_refused("do_resize", false, "expected 'do_resize' to be true, got false");
  check_preprocessor_refused("do_rescale", false, "expected 'do_rescale' to be true, got false");
  check_preprocessor_refused("rescale_factor", 0.5, "'rescale_factor' to be 1 / 255, got 0.5");
  check_preprocessor_refused("resample", 0, "'resample' to be 1 (Lanczos), 2 (bilinear)");
  check_preprocessor_refused("resample", nullptr, "'resample' to be an integer");
  check_preprocessor_refused("size", nullptr, "'size' to be an object, got nothing");
  check_preprocessor_refused("size", json::object(), "'size.height' to be an integer");
  check_preprocessor_refused("size", {{"height", 8}, {"width", 1e9}}, "'size.width'");
  check_preprocessor_refused("size", {{"height", 8}, {"width", 13}},
                             "multiples of the patch size 4");
  check_preprocessor_refused("size", {{"shortest_edge", 8}}, "'do_center_crop' to be true");
  check_preprocessor_refused("image_mean", {0.5}, "'image_mean' to be 3 numbers");
  check_preprocessor_refused("image_std", {0.5, 0.5, 0}, "'image_std' to be 3 numbers");
  check_preprocessor_refused("do_center_crop", true, "'crop_size' to be an object, got nothing");
  check_refused(
      [](HfFixture& fixture) {
        fixture.preprocessor.update({{"do_center_crop", true}, {"crop_size", 8}});
      },
      "'crop_size' to be of the same shape as size");
  check_refused(
      [](HfFixture& fixture) {
        fixture.preprocessor.update({{"do_center_crop", true},
                                     {"size", {{"shortest_edge", 16}}},
                                     {"crop_size", {{"height", 8}, {"width", 12}}}});
      },
      "'crop_size' to be square");
}

TEST_CASE("Preprocessing may crop, resize by Lanczos and leave out normalisation",
          "[io][model_folder][hf]") {
  HfFixture fixture = hf_vit();
  fixture.preprocessor = {{"size", 16},
                          {"crop_size", 8},
                          {"do_center_crop", true},
                          {"do_normalize", false},
                          {"resample", 1}};
  const Preprocessing found = fixture.open().preprocessing;
  CHECK(found.height == 8);
  CHECK(found.crop_pct == 0.5);
  CHECK(found.crop_mode == CropMode::squash);
  CHECK(found.interpolation == Interpolation::lanczos);
  CHECK(found.mean == std::array{0.0f, 0.0f, 0.0f});
  CHECK(found.std == std::array{1.0f, 1.0f, 1.0f});
}

TEST_CASE("A Hugging Face folder without its image processor says how to add it",
          "[io][model_folder][hf]") {
  const HfFixture fixture = hf_vit();
  CHECK_THROWS_WITH(open_model_folder(fixture.write()), Contains("processor.save_pretrained"));
}
