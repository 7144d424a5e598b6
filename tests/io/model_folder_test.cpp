#include "tokensieve/io/model_folder.h"

#include "timm_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

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
  const auto vit =
      GENERATE_COPY(changed([](VitConfig& c) { c.num_classes = 0; }),
                    changed([](VitConfig& c) { c.distilled = true; }),
                    changed([](VitConfig& c) { c.num_register_tokens = 4; }),
                    changed([](VitConfig& c) { c.prefix_positions = false; }),
                    changed([](VitConfig& c) { c.qkv_bias = false; }),
                    changed([](VitConfig& c) { c.layer_scale = true; }),
                    changed([](VitConfig& c) { c.final_norm = false; }),
                    changed([](VitConfig& c) { c.pre_norm = true; }), changed([](VitConfig& c) {
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
  CHECK_THROWS_WITH(open_model_folder(fixture.write()),
                    Contains("got the tensor 'blocks.0.gamma_1'"));
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
  CHECK_THROWS_WITH(open_model_folder(folder),
                    Contains("sieve.json: expected 'recipe' to be a str"));
  write_text_file(sieve, R"({"recipe": ""})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("to be a recipe of 1 to 4096 bytes"));
  write_text_file(sieve, R"({"provenance": []})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("'provenance' to be an object, got []"));
  write_text_file(sieve, R"({"thresholds": []})");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected 'thresholds' to be absent"));
  write_text_file(sieve, "[]");
  CHECK_THROWS_WITH(open_model_folder(folder), Contains("expected an object, got array"));
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
