#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "model_fixture.h"
#include "tokensieve/io/half.h"
#include "tokensieve/io/model_folder.h"

using namespace tokensieve;
using namespace tokensieve::test;
using Catch::Contains;

namespace {

VitConfig changed(const std::function<void(VitConfig&)>& change) {
  VitConfig vit = tiny_vit();
  change(vit);
  return vit;
}

nlohmann::json config_in(const std::filesystem::path& folder) {
  return nlohmann::json::parse(read_text_file(folder / "config.json", 1 << 20));
}

}  // namespace

TEST_CASE("A saved folder opens as the model that was saved", "[io][model_folder]") {
  const auto vit = GENERATE_COPY(
      tiny_vit(), changed([](VitConfig& c) { c.num_classes = 0; }), changed([](VitConfig& c) {
        c.distilled = true;
        c.name = "deit_tiny_distilled_patch16_224";
      }),
      changed([](VitConfig& c) {
        c.num_register_tokens = 4;
        c.prefix_positions = c.qkv_bias = false;
        c.layer_scale = c.pre_norm = true;
      }),
      changed([](VitConfig& c) {
        c.pooling = Pooling::mean;
        c.class_token = c.final_norm = false;
        c.fc_norm = true;
      }),
      changed([](VitConfig& c) { c.final_norm = false; }), changed([](VitConfig& c) {
        c.num_heads = {1, 0};
        c.mlp_dim = {0, 7};
      }),
      changed([](VitConfig& c) {
        c.mlp_dim = {7, 7};
      }),
      changed([](VitConfig& c) {
        c.masks.heads = {{0}, {}};
        c.masks.rows = 2;
        c.masks.columns = 0;
        c.masks.kind = AttentionMasks::Kind::hard;
        c.masks.sees_prefix = false;
      }),
      changed([](VitConfig& c) { c.layer_norm_eps = 1e-12f; }));
  const DType dtype = GENERATE(DType::F32, DType::BF16);
  const TempFolder folder;
  ModelFolder model = model_of(vit);
  if (vit.num_classes > 0) model.labels = {"a", "b", "c \"quoted\""};
  model.recipe = "evit(keep=0.7)";
  model.provenance = R"({"seed":1})";
  model.preprocessing.crop_mode = CropMode::border;
  model.preprocessing.interpolation = Interpolation::lanczos;
  save_model_folder(model, folder / "saved", dtype);

  const ModelFolder found = open_model_folder(folder / "saved");
  CHECK(found.vit == model.vit);
  CHECK(found.labels == model.labels);
  CHECK(found.recipe == model.recipe);
  CHECK(found.provenance == model.provenance);
  CHECK(found.preprocessing.height == 8);
  CHECK(found.preprocessing.width == 12);
  CHECK(found.preprocessing.crop_pct == model.preprocessing.crop_pct);
  CHECK(found.preprocessing.crop_mode == CropMode::border);
  CHECK(found.preprocessing.interpolation == Interpolation::lanczos);
  CHECK(found.preprocessing.mean == model.preprocessing.mean);
  CHECK(found.preprocessing.std == model.preprocessing.std);
  check_same_weights(*found.weights, *model.weights);  // values that bf16 holds
}

TEST_CASE("A model saved as bf16 has half the bytes and rounded values", "[io][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  auto weights =
      std::make_shared<MemoryWeights>(dynamic_cast<const MemoryWeights&>(*model.weights));
  weights->set("head.bias", {3}, {0.1f, 1.00001f, -7e30f});
  model.weights = weights;
  save_model_folder(model, folder / "saved", DType::BF16);
  const auto file = SafetensorsFile::open(folder / "saved/model.safetensors");
  CHECK(file.info("norm.bias").dtype == DType::BF16);
  CHECK(file.metadata().at("format") == "pt");
  const std::vector<float> expected = {bf16_to_f32(f32_to_bf16(0.1f)), 1.0f,
                                       bf16_to_f32(f32_to_bf16(-7e30f))};
  CHECK(file.read_f32("head.bias") == expected);
}

TEST_CASE("A dense model of unknown origin has no sieve.json", "[io][model_folder]") {
  const TempFolder folder;
  save_model_folder(model_of(tiny_vit()), folder / "saved/");
  CHECK_FALSE(std::filesystem::exists(folder / "saved/sieve.json"));
  CHECK(open_model_folder(folder / "saved").recipe == "dense");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("The architecture written is one that timm has", "[io][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(changed([](VitConfig& c) { c.name = "dinov2"; }));
  save_model_folder(model, folder / "1");
  CHECK(config_in(folder / "1")["architecture"] == "vit_base_patch16_224");
  model.vit.layer_norm_eps = 1e-5f;
  save_model_folder(model, folder / "2");
  CHECK(config_in(folder / "2")["architecture"] == "vit_base_patch16_clip_224");
  CHECK_FALSE(config_in(folder / "2").contains("tokensieve"));
  model = model_of(changed([](VitConfig& c) { c.distilled = true; }));
  save_model_folder(model, folder / "3");
  CHECK(config_in(folder / "3")["architecture"] == "deit_base_distilled_patch16_224");
}

TEST_CASE("Numbers in config.json are written as short as they are", "[io][model_folder]") {
  const TempFolder folder;
  save_model_folder(model_of(tiny_vit()), folder / "saved");
  CHECK_THAT(read_text_file(folder / "saved/config.json", 1 << 20), Contains("0.485,"));
}

TEST_CASE("A network whose positions are for another size asks timm to interpolate",
          "[io][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  model.preprocessing.height = 16;
  save_model_folder(model, folder / "saved");
  const auto config = config_in(folder / "saved");
  CHECK(config["model_args"]["dynamic_img_size"] == true);
  CHECK(config["pretrained_cfg"]["fixed_input_size"] == false);
  const ModelFolder found = open_model_folder(folder / "saved");
  CHECK(found.vit.image_height == 8);
  CHECK(found.preprocessing.height == 16);
}

TEST_CASE("A folder is written whole or not at all", "[io][model_folder]") {
  const TempFolder folder;
  ModelFolder model = model_of(tiny_vit());
  SECTION("where something is, nothing changes") {
    write_text_file(folder / "taken", "mine");
    CHECK_THROWS_AS(save_model_folder(model, folder / "taken"), std::runtime_error);
    CHECK_THROWS_WITH(save_model_folder(model, folder / "taken"), Contains("exists"));
    CHECK(read_text_file(folder / "taken", 100) == "mine");
  }
  SECTION("a failure while writing leaves nothing") {
    class FailingWeights final : public WeightSource {
     public:
      explicit FailingWeights(std::shared_ptr<const WeightSource> weights) : weights_(weights) {}
      bool contains(std::string_view name) const override { return weights_->contains(name); }
      std::vector<int64_t> shape(std::string_view name) const override {
        return weights_->shape(name);
      }
      void read(std::string_view name, std::span<float> out) const override {
        if (name == "pos_embed") throw std::runtime_error("disk gone");
        weights_->read(name, out);
      }
      std::vector<std::string> names() const override { return weights_->names(); }

     private:
      std::shared_ptr<const WeightSource> weights_;
    };
    model.weights = std::make_shared<FailingWeights>(model.weights);
    CHECK_THROWS_WITH(save_model_folder(model, folder / "saved"), "disk gone");
    CHECK(std::filesystem::is_empty(folder.path()));
  }
  SECTION("a parent that is missing is an error") {
    CHECK_THROWS_WITH(save_model_folder(model, folder / "no/saved"), Contains("cannot create"));
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("A model that does not hold together is not saved", "[io][model_folder]") {
  const TempFolder folder;
  const auto target = folder / "saved";
  ModelFolder model = model_of(tiny_vit());
  CHECK_THROWS_AS(save_model_folder(model, target, DType::F16), std::invalid_argument);
  SECTION("no weights") {
    model.weights = nullptr;
    CHECK_THROWS_AS(save_model_folder(model, target), std::invalid_argument);
  }
  SECTION("a config that makes no sense") {
    model.vit.patch_size = 0;
    CHECK_THROWS_AS(save_model_folder(model, target), std::invalid_argument);
  }
  SECTION("a last block without anything, whose tensors would not be there") {
    model.vit.num_heads.back() = model.vit.mlp_dim.back() = 0;
    CHECK_THROWS_WITH(save_model_folder(model, target), Contains("a last block with heads or"));
  }
  SECTION("preprocessing that makes no sense") {
    model.preprocessing.crop_pct = 0;
    CHECK_THROWS_AS(save_model_folder(model, target), std::invalid_argument);
  }
  SECTION("weights of another config") {
    model.vit.num_classes = 7;
    CHECK_THROWS_WITH(save_model_folder(model, target),
                      Contains("expected 'head.bias' of shape [7]"));
  }
  SECTION("labels of another number") {
    model.labels = {"one"};
    CHECK_THROWS_WITH(save_model_folder(model, target), Contains("expected 3 labels"));
  }
  SECTION("provenance that is no JSON object") {
    model.provenance = "[1]";
    CHECK_THROWS_WITH(save_model_folder(model, target), Contains("provenance to be a JSON object"));
    model.provenance = "{";
    CHECK_THROWS_AS(save_model_folder(model, target), std::invalid_argument);
  }
  SECTION("four channels") {
    model = model_of(changed([](VitConfig& c) { c.in_channels = 4; }));
    CHECK_THROWS_WITH(save_model_folder(model, target), Contains("3 channels, got 4"));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}
