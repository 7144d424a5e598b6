#include "tokensieve/core/vit_config.h"

#include <functional>
#include <limits>

#include "refuses.h"

using namespace tokensieve;

namespace {

VitConfig changed(const std::function<void(VitConfig&)>& change) {
  VitConfig config;
  change(config);
  return config;
}

}  // namespace

TEST_CASE("the default config is DeiT-S at 224", "[core][config]") {
  const VitConfig config;
  CHECK_NOTHROW(config.validate());
  CHECK(config.depth() == 12);
  CHECK(config.grid_height() * config.grid_width() == 196);
  CHECK(config.num_prefix_tokens() == 1);
}

TEST_CASE("class, distillation and register tokens are all prefix", "[core][config]") {
  VitConfig config;
  config.distilled = true;
  CHECK(config.num_prefix_tokens() == 2);
  config.num_register_tokens = 4;
  CHECK(config.num_prefix_tokens() == 6);
}

TEST_CASE("blocks may lack attention or MLP", "[core][config]") {
  CHECK_NOTHROW(changed([](VitConfig& c) {
                  c.num_heads[3] = 0;
                  c.mlp_dim[4] = 0;
                }).validate());
}

TEST_CASE("a config names the size that makes no sense", "[core][config]") {
  const auto refuses = [](const std::function<void(VitConfig&)>& change, const std::string& text) {
    CHECK_REFUSES(changed(change).validate(), text);
  };
  refuses([](VitConfig& c) { c.patch_size = 0; }, "expected patch_size in [1, 65536], got 0");
  refuses([](VitConfig& c) { c.image_height = 225; },
          "expected image_height to be a multiple of patch_size 16, got 225");
  refuses([](VitConfig& c) { c.image_width = 15; }, "expected image_width in [16, ");
  refuses(
      [](VitConfig& c) {
        c.patch_size = 1;
        c.image_width = 65536;
      },
      "expected at most 262144 patches");
  refuses([](VitConfig& c) { c.in_channels = 0; }, "in_channels");
  refuses([](VitConfig& c) { c.embed_dim = -4; }, "embed_dim");
  refuses([](VitConfig& c) { c.head_dim = 0; }, "head_dim");
  refuses(
      [](VitConfig& c) {
        c.num_heads.clear();
        c.mlp_dim.clear();
      },
      "the number of blocks");
  refuses([](VitConfig& c) { c.mlp_dim.pop_back(); },
          "expected one mlp_dim for each of 12 blocks, got 11");
  refuses([](VitConfig& c) { c.num_heads[1] = -1; }, "num_heads");
  refuses([](VitConfig& c) { c.num_heads[1] = 257; }, "expected num_heads in [0, 256], got 257");
  refuses([](VitConfig& c) { c.mlp_dim[1] = -1; }, "mlp_dim");
  refuses([](VitConfig& c) { c.num_classes = -1; }, "num_classes");
  refuses([](VitConfig& c) { c.num_register_tokens = -1; }, "num_register_tokens");
  refuses(
      [](VitConfig& c) {
        c.class_token = false;
        c.distilled = true;
      },
      "beside the distillation token");
  refuses([](VitConfig& c) { c.class_token = false; }, "use mean pooling");
  refuses([](VitConfig& c) { c.stem_channels = -1; }, "stem_channels");
  refuses([](VitConfig& c) { c.stem_channels = 1025; }, "expected stem_channels in [0, 1024]");
  refuses(
      [](VitConfig& c) {
        c.stem_channels = 64;
        c.patch_size = 7;
      },
      "a patch_size that is a multiple of 2 after a convolution stem, got 7");
  refuses(
      [](VitConfig& c) {
        c.aux_head = true;
        c.num_classes = 0;
      },
      "beside aux_head, got none");
  refuses(
      [](VitConfig& c) {
        c.aux_head = true;
        c.pooling = Pooling::mean;
      },
      "beside aux_head, got mean pooling");
  refuses([](VitConfig& c) { c.aux_head = c.distilled = true; },
          "beside aux_head, got a distilled one");
  refuses([](VitConfig& c) { c.skip_lam = 0.0f; }, "skip_lam");
  refuses([](VitConfig& c) { c.skip_lam = std::numeric_limits<float>::infinity(); }, "skip_lam");
  refuses([](VitConfig& c) { c.layer_norm_eps = 0.0f; }, "layer_norm_eps");
  refuses([](VitConfig& c) { c.layer_norm_eps = std::numeric_limits<float>::quiet_NaN(); },
          "layer_norm_eps");
}

TEST_CASE("a distillation token goes with class pooling", "[core][vit_config]") {
  tokensieve::VitConfig config;
  config.distilled = true;
  CHECK_NOTHROW(config.validate());
  config.pooling = tokensieve::Pooling::mean;
  CHECK_THROWS_AS(config.validate(), std::invalid_argument);
}
