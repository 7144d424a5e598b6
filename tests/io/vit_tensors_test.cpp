#include "tokensieve/io/vit_tensors.h"

#include <catch2/catch.hpp>

#include "model_fixture.h"

using namespace tokensieve;
using namespace tokensieve::test;

TEST_CASE("A network's tensors are those of timm's state dict", "[io][vit_tensors]") {
  VitConfig config = tiny_vit();
  config.num_heads = {2};
  config.mlp_dim = {16};
  config.distilled = config.layer_scale = true;
  config.num_register_tokens = 4;
  const Shapes expected = {{"blocks.0.attn.proj.bias", {8}},
                           {"blocks.0.attn.proj.weight", {8, 8}},
                           {"blocks.0.attn.qkv.bias", {24}},
                           {"blocks.0.attn.qkv.weight", {24, 8}},
                           {"blocks.0.ls1.gamma", {8}},
                           {"blocks.0.ls2.gamma", {8}},
                           {"blocks.0.mlp.fc1.bias", {16}},
                           {"blocks.0.mlp.fc1.weight", {16, 8}},
                           {"blocks.0.mlp.fc2.bias", {8}},
                           {"blocks.0.mlp.fc2.weight", {8, 16}},
                           {"blocks.0.norm1.bias", {8}},
                           {"blocks.0.norm1.weight", {8}},
                           {"blocks.0.norm2.bias", {8}},
                           {"blocks.0.norm2.weight", {8}},
                           {"cls_token", {1, 1, 8}},
                           {"dist_token", {1, 1, 8}},
                           {"head.bias", {3}},
                           {"head.weight", {3, 8}},
                           {"head_dist.bias", {3}},
                           {"head_dist.weight", {3, 8}},
                           {"norm.bias", {8}},
                           {"norm.weight", {8}},
                           {"patch_embed.proj.bias", {8}},
                           {"patch_embed.proj.weight", {8, 3, 4, 4}},
                           {"pos_embed", {1, 6 + 6, 8}},
                           {"reg_token", {1, 4, 8}}};
  CHECK(vit_tensors(config) == expected);
}

TEST_CASE("Parts that a network does not have have no tensors", "[io][vit_tensors]") {
  VitConfig config = tiny_vit();
  config.num_heads = {0};
  config.mlp_dim = {0};
  config.num_classes = 0;
  config.pre_norm = config.fc_norm = true;
  config.class_token = config.final_norm = false;
  const Shapes expected = {{"fc_norm.bias", {8}},
                           {"fc_norm.weight", {8}},
                           {"norm_pre.bias", {8}},
                           {"norm_pre.weight", {8}},
                           {"patch_embed.proj.weight", {8, 3, 4, 4}},
                           {"pos_embed", {1, 6, 8}}};
  CHECK(vit_tensors(config) == expected);
}
