#include "tokensieve/core/macs.h"

#include <cmath>
#include <vector>

#include "refuses.h"
#include "tokensieve/core/selector.h"

using namespace tokensieve;

namespace {

VitConfig vit(int dim, int heads, int depth = 12, int image = 224) {
  VitConfig config;
  config.image_height = config.image_width = image;
  config.embed_dim = dim;
  config.num_heads.assign(static_cast<size_t>(depth), heads);
  config.mlp_dim.assign(static_cast<size_t>(depth), 4 * dim);
  return config;
}

VitConfig lvvit(int dim, int heads, int depth) {
  VitConfig config = vit(dim, heads, depth);
  config.mlp_dim.assign(static_cast<size_t>(depth), 3 * dim);
  config.stem_channels = 64;
  config.aux_head = true;
  return config;
}

const VitConfig kTiny = vit(192, 3), kSmall = vit(384, 6), kBase = vit(768, 12), k256 = vit(256, 4);

/// Rows of the 12 blocks, for sites after the attention of blocks 3, 6, 9 that leave these rows.
std::vector<LayerTokens> after_attention(const std::vector<int64_t>& left) {
  std::vector<LayerTokens> layers;
  for (int64_t layer = 0, rows = 197, site = 0; layer < 12; ++layer) {
    const int64_t before = rows;
    if (layer == 3 * (site + 1) && site < 3) rows = left[static_cast<size_t>(site++)];
    layers.push_back({before, before, rows});
  }
  return layers;
}

/// The same for sites before these blocks.
std::vector<LayerTokens> before_blocks(const std::vector<int64_t>& left, int64_t rows = 197) {
  std::vector<LayerTokens> layers;
  for (size_t layer = 0; layer < 12; ++layer) {
    if (layer >= 3 && layer % 3 == 0) rows = left[layer / 3 - 1];
    layers.push_back({rows, rows, rows});
  }
  return layers;
}

/// Kept patches of DynamicViT's three sites.
std::vector<int64_t> dynamicvit_counts(double keep, int64_t patches = 196) {
  const auto selector = top_k_selector({keep}, {TopKOptions::Of::input, TopKOptions::Round::floor});
  std::vector<int64_t> counts;
  const std::vector<float> scores(static_cast<size_t>(patches));
  for (int site = 0; site < 3; ++site) {
    counts.push_back(static_cast<int64_t>(selector->select({scores, patches, site}).size()));
  }
  return counts;
}

std::vector<LayerTokens> dynamicvit_layers(double keep, int64_t patches = 196) {
  std::vector<int64_t> rows = dynamicvit_counts(keep, patches);
  for (int64_t& count : rows) ++count;  // the class token
  return before_blocks(rows, patches + 1);
}

/// MACs of DynamicViT's three predictors as its own counter has them.
int64_t predictor_macs(const VitConfig& config, double keep, int64_t patches = 196) {
  const std::vector<int64_t> counts = dynamicvit_counts(keep, patches);
  return count_published_predictor_macs(config, patches + counts[0] + counts[1]);
}

std::vector<LayerTokens> evit_layers(double keep, bool fused) {
  std::vector<int64_t> rows;
  for (int64_t present = 196, site = 0; site < 3; ++site) {
    const auto kept = static_cast<int64_t>(std::ceil(keep * static_cast<double>(present)));
    present = kept + (fused && kept < present ? 1 : 0);
    rows.push_back(present + 1);
  }
  return after_attention(rows);
}

/// ToMe merges up to r rows, never more than half of those after the class token, in every block.
std::vector<LayerTokens> tome_layers(int64_t r) {
  std::vector<LayerTokens> layers;
  for (int64_t layer = 0, rows = 197; layer < 12; ++layer) {
    const int64_t before = rows;
    rows -= std::min(r, (rows - 1) / 2);
    layers.push_back({before, before, rows});
  }
  return layers;
}

double giga(const VitConfig& config, const std::vector<LayerTokens>& layers) {
  return static_cast<double>(count_macs(config, 196, layers).total()) * 1e-9;
}

/// `value` with this many decimals.
double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

}  // namespace

TEST_CASE("dense MACs of the known networks", "[core][macs]") {
  CHECK(count_dense_macs(kTiny).total() == 1'253'683'200);
  CHECK(count_dense_macs(kSmall).total() == 4'598'882'304);
  CHECK(count_dense_macs(kBase).total() == 17'563'828'224);
  CHECK(count_dense_macs(k256).total() == 2'136'358'912);
  CHECK(count_dense_macs(vit(1024, 16, 24)).total() == 61'554'712'576);
  CHECK(count_dense_macs(vit(384, 6, 12, 384)).total() == 15'490'351'104);
  CHECK(count_dense_macs(vit(768, 12, 12, 384)).total() == 55'484'350'464);
}

TEST_CASE("LV-ViT's MACs with its stem and both heads", "[core][macs][lvvit]") {
  const MacCount small = count_dense_macs(lvvit(384, 6, 16));
  CHECK(small.patch_embed == 1'351'139'328);
  CHECK(small.head == 384 * 1000 * (1 + 196));
  CHECK(small.total() == 6'551'485'440);
  CHECK(count_dense_macs(lvvit(512, 8, 20)).total() == 12'678'045'696);
}

TEST_CASE("DynamicViT's MACs on LV-ViT, the second head on surviving tokens",
          "[core][macs][lvvit]") {
  const auto [dim, heads, depth, keep, expected] =
      GENERATE(table<int, int, int, double, double>({{384, 6, 16, 0.9, 5.876},
                                                     {384, 6, 16, 0.8, 5.206},
                                                     {384, 6, 16, 0.7, 4.650},
                                                     {384, 6, 16, 0.5, 3.790},
                                                     {512, 8, 20, 0.9, 11.207},
                                                     {512, 8, 20, 0.8, 9.783},
                                                     {512, 8, 20, 0.7, 8.593}}));
  const VitConfig config = lvvit(dim, heads, depth);
  const auto counts = dynamicvit_counts(keep);
  std::vector<LayerTokens> layers;
  for (int layer = 0, rows = 197; layer < depth; ++layer) {
    const int site = layer / (depth / 4);  // before blocks 4, 8, 12, or 5, 10, 15
    if (site > 0) rows = static_cast<int>(counts[static_cast<size_t>(site - 1)]) + 1;
    layers.push_back({rows, rows, rows});
  }
  const auto total = count_macs(config, 196, layers).total() + predictor_macs(config, keep);
  CHECK(rounded(static_cast<double>(total) * 1e-9, 3) == Approx(expected).epsilon(1e-9));
  // A site after the last block spares the second head what it drops.
  CHECK(count_macs(config, 196, layers).head - count_macs(config, 196, layers, 2).head ==
        int64_t{dim} * 1000 * (layers.back().mlp - 2));
}

TEST_CASE("dense MACs with the norms that other counters charge", "[core][macs]") {
  const std::vector<LayerTokens> dense(12, {197, 197, 197});
  const auto with_norms = [&](const VitConfig& config) {
    return count_dense_macs(config).total() + count_layer_norm_macs(config, dense);
  };
  CHECK(with_norms(kTiny) == 1'258'411'200);
  CHECK(with_norms(kSmall) == 4'608'338'304);
  CHECK(with_norms(kBase) == 17'582'740'224);
  CHECK(with_norms(k256) == 2'142'662'912);
}

TEST_CASE("one block of DeiT-S", "[core][macs]") {
  VitConfig config = vit(384, 6, 1);
  config.num_classes = 0;
  const auto [rows, macs] = GENERATE(table<int64_t, int64_t>(
      {{197, 378'391'296}, {138, 258'812'928}, {97, 178'864'896}, {68, 123'875'328}}));
  CHECK(count_macs(config, 0, std::vector<LayerTokens>{{rows, rows, rows}}).total() == macs);
}

TEST_CASE("EViT's MACs on DeiT-S", "[core][macs]") {
  const auto [keep, fused, gone] = GENERATE(table<double, double, double>({{0.9, 4.02, 3.99},
                                                                           {0.8, 3.48, 3.44},
                                                                           {0.7, 3.03, 3.00},
                                                                           {0.6, 2.64, 2.61},
                                                                           {0.5, 2.31, 2.28}}));
  CHECK(rounded(giga(kSmall, evit_layers(keep, true)), 2) == Approx(fused));
  CHECK(rounded(giga(kSmall, evit_layers(keep, false)), 2) == Approx(gone));
}

TEST_CASE("DynamicViT's MACs with predictors", "[core][macs]") {
  const auto [config, keep, expected] = GENERATE(table<VitConfig, double, double>(
      {{kTiny, 0.9, 1.091496},  {kTiny, 0.8, 0.931905},  {kTiny, 0.7, 0.801198},
       {kTiny, 0.6, 0.690087},  {kTiny, 0.5, 0.601628},  {k256, 0.9, 1.868159},
       {k256, 0.8, 1.597928},   {k256, 0.7, 1.374598},   {k256, 0.6, 1.183347},
       {k256, 0.5, 1.030127},   {kSmall, 0.9, 4.040734}, {kSmall, 0.8, 3.463054},
       {kSmall, 0.7, 2.980898}, {kSmall, 0.6, 2.564715}, {kSmall, 0.5, 2.229061},
       {kBase, 0.9, 15.512440}, {kBase, 0.8, 13.323080}, {kBase, 0.7, 11.475802},
       {kBase, 0.6, 9.867597},  {kBase, 0.5, 8.561343}}));
  const double total = giga(config, dynamicvit_layers(keep)) +
                       static_cast<double>(predictor_macs(config, keep)) * 1e-9;
  CHECK(rounded(total, 6) == Approx(expected).epsilon(1e-9));
}

TEST_CASE("DynamicViT's exact MACs at 0.7", "[core][macs]") {
  const auto [config, with, without] =
      GENERATE(table<VitConfig, int64_t, double>({{kTiny, 801'198'048, 0.775458},
                                                  {kSmall, 2'980'897'728, 2.878020},
                                                  {kBase, 11'475'801'984, 11.064456}}));
  const std::vector<LayerTokens> layers = dynamicvit_layers(0.7);
  CHECK(count_macs(config, 196, layers).total() + predictor_macs(config, 0.7) == with);
  CHECK(rounded(giga(config, layers), 6) == Approx(without).epsilon(1e-9));
}

TEST_CASE("DynamicViT's MACs at 384", "[core][macs]") {
  const auto [keep, expected] = GENERATE(table<double, double>({{0.7, 9.651525}, {0.5, 7.186523}}));
  const VitConfig config = vit(384, 6, 12, 384);
  const int64_t total = count_macs(config, 576, dynamicvit_layers(keep, 576)).total() +
                        predictor_macs(config, keep, 576);
  CHECK(rounded(static_cast<double>(total) * 1e-9, 6) == Approx(expected).epsilon(1e-9));
}

TEST_CASE("a predictor's MACs are those of its layers, the global half once an image",
          "[core][macs]") {
  // in_conv.1, the local half of out_conv.0, out_conv.2 and the difference of the two outputs;
  // then the global half of out_conv.0.
  CHECK(count_predictor_macs(kSmall, 1) == 384 * 384 + 192 * 192 + 192 * 96 + 96 + 192 * 192);
  CHECK(count_predictor_macs(kSmall, 196) ==
        196 * (384 * 384 + 192 * 192 + 192 * 96 + 96) + 192 * 192);
  CHECK(count_predictor_macs(kSmall, 0) == 0);
  CHECK(count_published_predictor_macs(kSmall, 196) ==
        196 * (384 * 384 + 384 * 192 + 192 * 96 + 96 * 2));
}

TEST_CASE("ToMe's MACs", "[core][macs]") {
  CHECK(rounded(giga(kSmall, tome_layers(8)), 4) == Approx(3.4165));
  CHECK(rounded(giga(kSmall, tome_layers(13)), 4) == Approx(2.7027));
  CHECK(rounded(giga(kSmall, tome_layers(16)), 4) == Approx(2.2909));
  CHECK(rounded(giga(kTiny, tome_layers(13)), 4) == Approx(0.7312));
  CHECK(rounded(giga(kBase, tome_layers(8)), 4) == Approx(13.1039));
  CHECK(rounded(giga(kBase, tome_layers(13)), 4) == Approx(10.3670));
  CHECK(rounded(giga(kBase, tome_layers(16)), 4) == Approx(8.7718));
}

TEST_CASE("SaiT's MACs: one site before block P", "[core][macs]") {
  const auto [block, kept, expected] = GENERATE(table<size_t, int64_t, double>({{2, 70, 2.110},
                                                                                {2, 95, 2.584},
                                                                                {2, 100, 2.680},
                                                                                {3, 90, 2.700},
                                                                                {3, 95, 2.786},
                                                                                {4, 70, 2.608},
                                                                                {4, 80, 2.759}}));
  std::vector<LayerTokens> layers(12, {197, 197, 197});
  for (size_t layer = block; layer < 12; ++layer) layers[layer] = {kept + 1, kept + 1, kept + 1};
  CHECK(rounded(giga(kSmall, layers), 3) == Approx(expected).epsilon(1e-9));
}

TEST_CASE("a BERT-base layer costs what the formula says", "[core][macs]") {
  VitConfig bert = vit(768, 12, 1);
  bert.num_classes = 2;
  const auto [tokens, layer, model] =
      GENERATE(table<int64_t, int64_t, double>({{64, 459'276'288, 5.511907},
                                                {128, 931'135'488, 11.174217},
                                                {256, 1'912'602'624, 22.951823},
                                                {384, 2'944'401'408, 35.333408},
                                                {512, 4'026'531'840, 48.318973}}));
  const MacCount count = count_macs(bert, 0, std::vector<LayerTokens>{{tokens, tokens, tokens}});
  CHECK(count.total() - count.head == layer);
  const int64_t pooler = 768 * 768;
  const auto total = static_cast<double>(12 * layer + pooler + count.head);
  CHECK(rounded(total * 1e-9, 6) == Approx(model).epsilon(1e-9));
}

TEST_CASE("MACs are told apart by kind", "[core][macs]") {
  VitConfig config = vit(768, 12, 1);
  const MacCount count = count_macs(config, 196, std::vector<LayerTokens>{{128, 128, 128}});
  CHECK(count.patch_embed == 196 * 768 * 768);
  CHECK(count.attention_linear == 226'492'416 + 75'497'472);
  CHECK(count.attention_products == 12'582'912 + 12'582'912);
  CHECK(count.mlp == 603'979'776);
  CHECK(count.head == 768'000);
  CHECK(count.predictors == 0);
}

TEST_CASE("a site inside attention runs fewer queries against all keys", "[core][macs]") {
  const VitConfig config = vit(384, 6, 1);
  const MacCount count = count_macs(config, 0, std::vector<LayerTokens>{{100, 30, 30}});
  CHECK(count.attention_linear == 3 * 100 * 384 * 384 + 30 * 384 * 384);
  CHECK(count.attention_products == 2 * 30 * 100 * 384);
  CHECK(count.mlp == 8 * 30 * 384 * 384);
}

TEST_CASE("blocks without heads or MLP, and second heads, count as they run", "[core][macs]") {
  VitConfig config = vit(384, 6, 2);
  config.num_heads = {0, 3};
  config.mlp_dim = {100, 0};
  config.distilled = true;
  const MacCount count =
      count_macs(config, 0, std::vector<LayerTokens>{{10, 10, 10}, {10, 10, 10}});
  CHECK(count.attention_linear == 4 * 10 * 384 * 192);
  CHECK(count.attention_products == 2 * 10 * 10 * 192);
  CHECK(count.mlp == 2 * 10 * 384 * 100);
  CHECK(count.head == 2 * 384 * 1000);
}

TEST_CASE("counting refuses rows that do not fit the network", "[core][macs]") {
  CHECK_REFUSES(count_macs(kSmall, 196, std::vector<LayerTokens>(11)),
                "expected rows for 12 blocks, got 11");
  CHECK_REFUSES(count_macs(kSmall, -1, std::vector<LayerTokens>(12)),
                "expected at least 0 patches, got -1");
  CHECK_REFUSES(count_macs(kSmall, 1, std::vector<LayerTokens>(12, {-1, 1, 1})),
                "expected at least 0 rows");
  CHECK_REFUSES(count_layer_norm_macs(kSmall, std::vector<LayerTokens>(13)),
                "expected rows for 12 blocks, got 13");
  VitConfig broken;
  broken.embed_dim = 0;
  CHECK_REFUSES(count_dense_macs(broken), "embed_dim");
}
