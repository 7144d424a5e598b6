#include "tokensieve/io/model_folder.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "model_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// A folder as timm's save_for_hf writes it.
FolderFixture timm_folder(const VitConfig& vit = tiny_vit()) {
  FolderFixture fixture;
  fixture.shapes = vit_tensors(vit);
  fixture.config = {
      {"architecture", vit.name},
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
void check_refused(const std::function<void(FolderFixture&)>& change, const std::string& message) {
  FolderFixture fixture = timm_folder();
  change(fixture);
  const auto folder = fixture.write();
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  CHECK_THROWS_WITH(open_model_folder(folder), Contains(message));
}

void check_config_refused(const std::string& pointer, const json& value,
                          const std::string& message) {
  CAPTURE(pointer, value.dump());
  check_refused(
      [&](FolderFixture& fixture) { fixture.config[json::json_pointer(pointer)] = value; },
      message);
}

VitConfig changed(const std::function<void(VitConfig&)>& change) {
  VitConfig vit = tiny_vit();
  change(vit);
  return vit;
}

}  // namespace

TEST_CASE("A timm folder gives config, preprocessing, labels and weights", "[io][model_folder]") {
  FolderFixture fixture = timm_folder();
  fixture.config["label_names"] = {"tench", "goldfish", "shark\x1b[2J"};
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit == tiny_vit());
  CHECK(model.preprocessing.height == 8);
  CHECK(model.preprocessing.width == 12);
  CHECK(model.preprocessing.crop_pct == 0.9);
  CHECK(model.preprocessing.crop_mode == CropMode::squash);
  CHECK(model.preprocessing.interpolation == Interpolation::bilinear);
  CHECK(model.preprocessing.mean == std::array{0.5f, 0.4f, 0.3f});
  CHECK(model.preprocessing.std == std::array{0.2f, 0.25f, 0.5f});
  // What a file says must not drive the reader's terminal.
  CHECK(model.labels == std::vector<std::string>{"tench", "goldfish", "shark\\x1b[2J"});
  CHECK(model.recipe == "dense");
  CHECK(model.provenance.empty());
  CHECK(model.weights->names().size() == fixture.shapes.size());
  CHECK(model.weights->read("head.bias", std::vector<int64_t>{3}) == values_of("head.bias", 3));
  CHECK_THROWS_WITH(model.weights->shape("head.bais"), Contains("did you mean 'head.bias'?"));
  std::vector<float> too_short(2);
  CHECK_THROWS_AS(model.weights->read("head.bias", std::span(too_short)), std::invalid_argument);
}

TEST_CASE("The tensors tell every switch of the network", "[io][model_folder]") {
  const auto vit = GENERATE_COPY(
      changed([](VitConfig& c) { c.num_classes = 0; }),
      changed([](VitConfig& c) { c.distilled = true; }),
      changed([](VitConfig& c) { c.num_register_tokens = 4; }),
      changed([](VitConfig& c) { c.prefix_positions = false; }),
      changed([](VitConfig& c) { c.qkv_bias = false; }),
      changed([](VitConfig& c) { c.layer_scale = true; }),
      changed([](VitConfig& c) { c.final_norm = false; }),
      changed([](VitConfig& c) { c.pre_norm = true; }),
      changed([](VitConfig& c) {
        c.pooling = Pooling::mean;
        c.class_token = c.final_norm = false;
        c.fc_norm = true;
      }),
      changed([](VitConfig& c) {
        c.name = "vit_base_patch32_clip_224";
        c.layer_norm_eps = 1e-5f;
      }));
  CHECK(open_model_folder(timm_folder(vit).write()).vit == vit);
}

TEST_CASE("Blocks may differ in heads and MLP width, down to none", "[io][model_folder]") {
  const VitConfig vit = changed([](VitConfig& c) {
    c.num_heads = {1, 0, 2};
    c.mlp_dim = {5, 16, 0};
    c.layer_scale = true;
  });
  FolderFixture fixture = timm_folder(vit);
  CHECK(open_model_folder(fixture.write()).vit == vit);
  fixture.config["tokensieve"] = {{"num_heads", {1, 0, 2}}, {"mlp_dim", {5, 16, 0}}};
  CHECK(open_model_folder(fixture.write()).vit == vit);
  // Heads block by block settle their width, so the other count is not needed.
  fixture.config["tokensieve"]["num_heads"] = {2, 0, 4};
  fixture.config["model_args"].erase("num_heads");
  fixture.config["architecture"] = "vit_so400m_patch14_224";
  CHECK(open_model_folder(fixture.write()).vit.head_dim == 2);
}

TEST_CASE("A timm folder without arguments gets its heads from the architecture",
          "[io][model_folder]") {
  VitConfig vit = tiny_vit();
  vit.embed_dim = 192;
  vit.head_dim = 64;
  vit.num_heads = {3, 3};
  FolderFixture fixture = timm_folder(vit);
  fixture.config.erase("model_args");
  fixture.config["architecture"] = "vit_tiny_patch16_224.augreg_in21k";
  CHECK(open_model_folder(fixture.write()).vit == vit);
  fixture.config["architecture"] = "vit_huge_patch14_224";
  CHECK(open_model_folder(fixture.write()).vit.head_dim == 12);
  fixture.config["architecture"] = "vit_base_patch16_gap_224";
  fixture.config.erase("global_pool");
  CHECK(open_model_folder(fixture.write()).vit.pooling == Pooling::mean);
}

TEST_CASE("The position table decides which image size it was made for", "[io][model_folder]") {
  FolderFixture fixture = timm_folder();
  fixture.config["model_args"]["img_size"] = {12, 8};
  CHECK(open_model_folder(fixture.write()).vit.image_height == 12);

  // A square table at another size than the images is one to interpolate.
  VitConfig square = tiny_vit();
  square.image_width = square.image_height = 16;
  fixture.shapes = vit_tensors(square);
  fixture.config["model_args"].erase("img_size");
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit.image_width == 16);
  CHECK(model.vit.prefix_positions);
  CHECK(model.preprocessing.width == 12);
  fixture.config["model_args"]["img_size"] = 16;
  CHECK(open_model_folder(fixture.write()).vit.image_height == 16);
  fixture.config["model_args"].erase("img_size");
  square.prefix_positions = false;
  fixture.shapes = vit_tensors(square);
  CHECK_THROWS_WITH(open_model_folder(fixture.write()), Contains("got 16 rows, 1 prefix tokens"));
  fixture.config["model_args"]["img_size"] = 16;
  CHECK_FALSE(open_model_folder(fixture.write()).vit.prefix_positions);
  fixture.config["model_args"].erase("img_size");
  fixture.config["model_args"]["no_embed_class"] = true;
  CHECK_FALSE(open_model_folder(fixture.write()).vit.prefix_positions);
}

TEST_CASE("The flat config.json of old timm versions opens", "[io][model_folder]") {
  FolderFixture fixture = timm_folder();
  json flat = fixture.config["pretrained_cfg"];
  flat["architecture"] = "vit_tiny_patch16_224";
  flat["num_classes"] = 3;
  flat["labels"] = {"a", "b", "c"};
  flat["model_args"] = {{"num_heads", 2}};
  fixture.config = flat;
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit == tiny_vit());
  CHECK(model.preprocessing.crop_pct == 0.9);
  CHECK(model.labels == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("Keys that config.json leaves out are as timm has them", "[io][model_folder]") {
  FolderFixture fixture = timm_folder();
  fixture.config = {{"architecture", "vit_tiny_patch16_224"},
                    {"pretrained_cfg", {{"input_size", {3, 8, 12}}, {"crop_pct", nullptr}}},
                    {"model_args", {{"num_heads", 2}}}};
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit == tiny_vit());
  CHECK(model.preprocessing.crop_pct == 0.875);
  CHECK(model.preprocessing.mean == std::array{0.485f, 0.456f, 0.406f});
  CHECK(model.labels.empty());
}

TEST_CASE("Layer scales under their old name open", "[io][model_folder]") {
  const VitConfig vit = changed([](VitConfig& c) { c.layer_scale = true; });
  FolderFixture fixture = timm_folder(vit);
  Shapes old;
  for (const auto& [name, shape] : fixture.shapes) {
    if (name == "blocks.0.ls1.gamma") {
      old["blocks.0.gamma_1"] = shape;
    } else if (name == "blocks.1.ls2.gamma") {
      old["blocks.1.gamma_2"] = shape;
    } else {
      old[name] = shape;
    }
  }
  fixture.shapes = old;
  const ModelFolder model = open_model_folder(fixture.write());
  CHECK(model.vit == vit);
  CHECK(model.weights->read("blocks.0.ls1.gamma", std::vector<int64_t>{8}) ==
        values_of("blocks.0.gamma_1", 8));
  fixture.shapes["blocks.0.ls1.gamma"] = {8};  // both
  CHECK_THROWS_WITH(open_model_folder(fixture.write()), Contains("got the tensor 'blocks.0.gamma_1'"));
}

TEST_CASE("sieve.json gives recipe and provenance", "[io][model_folder]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  const auto sieve = folder / "sieve.json";
  write_text_file(sieve, R"json({"recipe": "evit(keep=0.7)", "provenance": {"seed": 1}})json");
  const ModelFolder model = open_model_folder(folder);
  CHECK(model.recipe == "evit(keep=0.7)");
  CHECK(model.provenance == R"({"seed":1})");

  write_text_file(sieve, R"({"recipe": 7})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("sieve.json: expected 'recipe' to be a str"));
  write_text_file(sieve, R"({"recipe": ""})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("to be a recipe of 1 to 4096 bytes"));
  write_text_file(sieve, R"({"provenance": []})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("'provenance' to be an object, got []"));
  write_text_file(sieve, R"({"thresholds": []})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected 'thresholds' to be absent"));
  write_text_file(sieve, "[]");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected an object, got array"));
}

TEST_CASE("A folder without the files of a model says what is missing", "[io][model_folder]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(open_model_folder(folder / "none"), Contains("expected a folder"));
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("config.json, got no such file"));
  write_text_file(folder / "config.json", R"({"hidden": 1})");
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("model.safetensors, got no such"));
  write_text_file(folder / "pytorch_model.bin", "pickle");
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("python -m tokensieve.convert"));
  write_text_file(folder / "model.safetensors.index.json", "{}");
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("a model in several files"));
  write_tensors(folder / "model.safetensors", vit_tensors(tiny_vit()));
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("expected 'architecture' to be"));
  write_text_file(folder / "model.safetensors", "short");
  CHECK_THROWS_WITH(open_model_folder(folder.path()), Contains("[safetensors]"));
}

TEST_CASE("A config.json that is no JSON object is refused", "[io][model_folder]") {
  const auto text = GENERATE(as<std::string>{}, "", "{", "[]", "null", "7", "{\"a\": 1, \"a\": 2}",
                             "{\"architecture\": NaN}", "\"\xff\"");
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  write_text_file(folder / "config.json", text);
  CHECK_THROWS_AS(open_model_folder(folder), std::runtime_error);
  write_text_file(folder / "config.json", std::string(100, '[') + std::string(100, ']'));
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("nesting"));
}

TEST_CASE("Values of config.json of the wrong kind or size are refused by name",
          "[io][model_folder]") {
  check_config_refused("/architecture", 7, "expected 'architecture' to be a string, got 7");
  check_config_refused("/architecture", "resnet50", "got 'resnet50'");
  check_config_refused("/architecture", "vit_base_patch16_clip_quickgelu_224", "quick GELU");
  check_config_refused("/architecture", "vit_base_patch16_rpn_224", "norms behind the layers");
  check_config_refused("/architecture", "vit_small_patch16_rope_224", "rotary positions");
  check_config_refused("/model_args", json::array(), "'model_args' to be an object, got []");
  check_config_refused("/model_args/num_heads", "2", "'model_args.num_heads' to be an integer");
  check_config_refused("/model_args/num_heads", 2.5, "'model_args.num_heads' to be an integer");
  check_config_refused("/model_args/num_heads", 0, "in [1, 1024], got 0");
  check_config_refused("/model_args/num_heads", 18446744073709551615u, "in [1, 1024], got 1844");
  check_config_refused("/model_args/num_heads", 3, "expected 'num_heads' to divide the width 8");
  check_config_refused("/model_args/num_heads", nullptr, "the width 8 is no multiple of 64");
  check_config_refused("/model_args/img_size", {8}, "a height and a width, got [8]");
  check_config_refused("/model_args/img_size", {8, 12, 3}, "at most 2 integers");
  check_config_refused("/model_args/img_size", {8, 1e300}, "at most 2 integers");
  check_config_refused("/model_args/img_size", -1, "an integer in [1, 16384], got -1");
  check_config_refused("/pretrained_cfg", 1, "'pretrained_cfg' to be an object, got 1");
  check_config_refused("/pretrained_cfg/input_size", {8, 12}, "channels, height and width");
  check_config_refused("/pretrained_cfg/input_size", {3, 9, 12}, "multiples of the patch size 4");
  check_config_refused("/pretrained_cfg/crop_pct", 0, "'pretrained_cfg.crop_pct' to be a number");
  check_config_refused("/pretrained_cfg/crop_mode", "random", "'pretrained_cfg.crop_mode'");
  check_config_refused("/pretrained_cfg/interpolation", "random", "a word that is known");
  check_config_refused("/pretrained_cfg/interpolation", 3, "to be a string, got 3");
  check_config_refused("/pretrained_cfg/mean", {0.5, 0.5}, "3 numbers in [-100, 100]");
  check_config_refused("/pretrained_cfg/mean", {0.5, 0.5, "0.5"}, "3 numbers in [-100, 100]");
  check_config_refused("/pretrained_cfg/std", {0.5, 0.5, 0}, "'pretrained_cfg.std'");
  check_config_refused("/global_pool", "map", "expected 'global_pool' to be \"token\" or \"avg\"");
  check_config_refused("/model_args/global_pool", "", "'model_args.global_pool'");
  check_config_refused("/tokensieve", 1, "'tokensieve' to be an object, got 1");
  check_config_refused("/tokensieve/heads", 1, "expected 'tokensieve.heads' to be absent");
  check_config_refused("/tokensieve/num_heads", {2}, "for each of 2 blocks, got 1");
  check_config_refused("/tokensieve/num_heads", {2, 1}, "the 1 heads of config.json");
  check_config_refused("/tokensieve/num_heads", {99, 1}, "to have the 99 heads of config.json");
  check_config_refused("/tokensieve/mlp_dim", {16, 8}, "what the tensors say, [16,16]");
  check_config_refused("/tokensieve/layer_norm_eps", 0, "'tokensieve.layer_norm_eps'");
}

TEST_CASE("Labels are one string for each class", "[io][model_folder]") {
  check_config_refused("/label_names", {"a", "b"}, "expected 3 names, one a class");
  check_config_refused("/label_names", {"a", "b", 3}, "to be strings of at most 1000 bytes");
  check_config_refused("/label_names", {"a", "b", std::string(1001, 'c')}, "at most 1000 bytes");
  check_config_refused("/label_names", "abc", "a list or an object");
  check_config_refused("/label_names", {{"0", "a"}, {"1", "b"}, {"3", "c"}}, "names of 0 to 2");
  FolderFixture fixture = timm_folder();
  fixture.config["label_names"] = {{"0", "a"}, {"1", "b"}, {"2", "c"}};
  CHECK(open_model_folder(fixture.write()).labels == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("Arguments that do not describe the tensors are refused by name", "[io][model_folder]") {
  check_config_refused("/num_classes", 4, "expected 'num_classes' to be the 3 of the tensor");
  const auto [key, value] = GENERATE(table<std::string, json>({
      {"embed_dim", 16},       {"depth", 3},          {"patch_size", 16}, {"in_chans", 1},
      {"num_classes", 10},     {"mlp_ratio", 4.0},    {"qkv_bias", false}, {"class_token", false},
      {"no_embed_class", true}, {"reg_tokens", 4},    {"pre_norm", true}, {"final_norm", false},
      {"fc_norm", true},       {"init_values", 1e-5}, {"depth", "2"},     {"mlp_ratio", "2"},
  }));
  check_config_refused("/model_args/" + key, value,
                       "expected 'model_args." + key + "' to be what the tensors say");
}

TEST_CASE("Arguments that change what the network computes are refused", "[io][model_folder]") {
  check_config_refused("/model_args/act_layer", "relu", "\"gelu\", the one that is supported");
  check_config_refused("/model_args/qk_norm", true, "false, the one that is supported");
  check_config_refused("/model_args/attn_layer", "diff", "tokensieve does not know it");
  FolderFixture fixture = timm_folder();
  fixture.config["model_args"].update({{"act_layer", "gelu"},
                                       {"norm_layer", nullptr},
                                       {"drop_path_rate", 0.1},
                                       {"dynamic_img_size", true},
                                       {"embed_dim", 8},
                                       {"depth", 2},
                                       {"mlp_ratio", 2.0},
                                       {"init_values", nullptr}});
  CHECK(open_model_folder(fixture.write()).vit == tiny_vit());
}

TEST_CASE("Every tensor of the file must be accounted for", "[io][model_folder]") {
  const auto with = [](const char* name, std::vector<int64_t> shape, const char* message) {
    CAPTURE(name);
    check_refused([&](FolderFixture& fixture) { fixture.shapes[name] = shape; }, message);
  };
  with("extra", {1}, "got the tensor 'extra'");
  with("pre_logits.fc.weight", {8, 8}, "representation layer");
  with("score_predictor.0.in_conv.0.bias", {8}, "belong into sieve.safetensors; convert");
  with("attn_pool.latent", {1, 1, 8}, "attention pooling");
  with("blocks.0.attn.q_norm.weight", {4}, "normalised queries and keys");
  with("blocks.x.norm1.weight", {8}, "expected 'blocks.x.norm1.weight' to be of a block");
  with("blocks.1000.norm1.weight", {8}, "to be of a block below 1000");
  with("blocks.-1.norm1.weight", {8}, "to be of a block below 1000");
  with("blocks.2", {8}, "to be of a block below 1000");
  with("head_dist.weight", {3, 8}, "got the tensor 'head_dist.weight'");
  with("fc_norm.weight", {8}, "where norm.weight is not, got both");
}

TEST_CASE("Tensors that are missing are named", "[io][model_folder]") {
  const auto name = GENERATE(as<std::string>{}, "pos_embed", "patch_embed.proj.weight",
                             "patch_embed.proj.bias", "blocks.1.attn.proj.bias", "norm.bias",
                             "head.bias", "blocks.0.mlp.fc2.weight");
  check_refused([&](FolderFixture& fixture) { fixture.shapes.erase(name); },
                "expected a tensor '" + name + "'");
}

TEST_CASE("Tensors of the wrong shape are named", "[io][model_folder]") {
  const auto with = [](const char* name, std::vector<int64_t> shape, const char* message) {
    CAPTURE(name);
    check_refused([&](FolderFixture& fixture) { fixture.shapes[name] = shape; }, message);
  };
  with("patch_embed.proj.weight", {8, 3, 4}, "to have 4 sides up to 16777216, got [8, 3, 4]");
  with("patch_embed.proj.weight", {8, 3, 4, 2}, "to have square patches");
  with("patch_embed.proj.weight", {8, 3, 0, 0}, "to have square patches");
  with("patch_embed.proj.weight", {0, 3, 4, 4}, "to have square patches");
  with("patch_embed.proj.weight", {8, 1, 4, 4}, "expected a model of 3 channels, got 1");
  with("pos_embed", {1, 8, 8}, "expected 'pos_embed' to be for 8 x 12 or 8 x 12 pixels, got 8");
  with("pos_embed", {1, 0, 8}, "got 0 rows");
  with("pos_embed", {7, 8}, "to have 3 sides");
  with("cls_token", {1, 1, 4}, "expected 'cls_token' of shape [1, 1, 8], got [1, 1, 4]");
  with("blocks.0.attn.qkv.weight", {25, 8}, "to have a multiple of 3 rows");
  with("blocks.0.attn.qkv.weight", {15, 8}, "to have 3 * heads * 4 rows, got 15");
  with("blocks.0.attn.qkv.weight", {0, 8}, "got the tensor 'blocks.0.attn.proj.bias'");
  with("blocks.0.mlp.fc1.weight", {32, 8}, "gated MLPs (SwiGLU) are not supported");
  with("blocks.0.mlp.fc1.weight", {17, 8}, "'blocks.0.mlp.fc1.bias' of shape [17], got [16]");
  with("head.weight", {4, 8}, "expected 'head.bias' of shape [4], got [3]");
  with("head.weight", {int64_t{1} << 33, 0}, "expected sides up to 2147483648");
}

TEST_CASE("Tensors of integers are refused", "[io][model_folder]") {
  const FolderFixture fixture = timm_folder();
  const auto folder = fixture.write();
  const std::vector<std::int64_t> value = {7};
  const TensorData tensor{"head.bias", DType::I64, {1}, std::as_bytes(std::span(value))};
  write_safetensors(folder / "model.safetensors", std::span(&tensor, 1));
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("F64 in 'head.bias', got I64"));
}

TEST_CASE("A lone file opens under the name of its architecture", "[io][model_folder]") {
  const TempFolder folder;
  const auto file = folder / "model.safetensors";
  VitConfig vit = tiny_vit();
  vit.name = "deit_tiny_patch16_224";
  vit.image_height = vit.image_width = 16;
  vit.embed_dim = 64;
  vit.head_dim = 64;
  vit.num_heads = {1, 1};
  write_tensors(file, vit_tensors(vit));
  const ModelFolder model = open_model_file(file, "deit_tiny_patch16_224.fb_in1k");
  CHECK(model.vit == vit);
  CHECK(model.labels.empty());
  CHECK(model.preprocessing.height == 16);
  CHECK(model.preprocessing.crop_pct == 0.9);
  CHECK(model.preprocessing.mean[0] == 0.485f);
  CHECK(open_model_file(file, "vit_small_patch16_224").preprocessing.mean[0] == 0.5f);
  CHECK(open_model_file(file, "vit_small_patch14_dinov2").preprocessing.crop_pct == 1.0);
  CHECK(open_model_file(file, "vit_base_patch32_clip_224").preprocessing.mean[0] == 0.48145466f);
  CHECK_THROWS_AS(open_model_file(file, "resnet50"), std::runtime_error);
  CHECK_THROWS_WITH(open_model_file(folder / "model.pth", "deit_tiny_patch16_224"),
                    Contains("python -m tokensieve.convert"));
  CHECK_THROWS_AS(open_model_file(folder / "none", "deit_tiny_patch16_224"), std::runtime_error);
  vit.image_width = 8;
  write_tensors(file, vit_tensors(vit));
  CHECK_THROWS_WITH(open_model_file(file, vit.name), Contains("to be for a square image"));
}
