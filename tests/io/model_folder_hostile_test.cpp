#include "timm_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;
using nlohmann::json;

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
  check_config_refused("/architecture", "vit_base_patch16_rpn_224", "norms after the layers");
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
  const std::string masks = "/tokensieve/attention_masks";
  check_config_refused(masks, 3, "'tokensieve.attention_masks'");
  check_config_refused(masks + "/heads", nlohmann::json::parse("[[0]]"),
                       "expected masked heads of 2 blocks, got 1");
  check_config_refused(masks + "/heads", 3, "a list for each block");
  check_config_refused(masks + "/heads", nlohmann::json::parse("[[0], [-1]]"),
                       "attention_masks.heads'");
  check_config_refused(masks + "/rows", 256, "attention_masks.rows'");
  check_config_refused(masks + "/columns", "x", "attention_masks.columns'");
  check_config_refused(masks + "/kind", "soft", "\"multiplicative\" or \"hard\"");
  check_config_refused(masks + "/heds", 1, "get a newer tokensieve");
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
      {"embed_dim", 16},
      {"depth", 3},
      {"patch_size", 16},
      {"in_chans", 1},
      {"num_classes", 10},
      {"mlp_ratio", 4.0},
      {"qkv_bias", false},
      {"class_token", false},
      {"no_embed_class", true},
      {"reg_tokens", 4},
      {"pre_norm", true},
      {"final_norm", false},
      {"fc_norm", true},
      {"init_values", 1e-5},
      {"depth", "2"},
      {"mlp_ratio", "2"},
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
  const auto name =
      GENERATE(as<std::string>{}, "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
               "blocks.1.attn.proj.bias", "norm.bias", "head.bias", "blocks.0.mlp.fc2.weight");
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
