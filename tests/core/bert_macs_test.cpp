#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "refuses.h"
#include "tokensieve/core/macs.h"

using namespace tokensieve;

TEST_CASE("a dense BERT-base costs what its formula says", "[core][macs][bert]") {
  const BertConfig bert;
  const auto check = [&](int64_t tokens, int64_t blocks) {
    const MacCount count = count_dense_macs(bert, tokens);
    CHECK(count.total() == blocks + 768 * 768 + 768 * 2);
    CHECK(count.head == 768 * 768 + 768 * 2);
  };
  check(64, 5'511'315'456);
  check(128, 11'173'625'856);
  check(256, 22'951'231'488);
  check(384, 35'332'816'896);
  check(512, 48'318'382'080);
}

TEST_CASE("a layer of BERT-base at 128 tokens is split as published", "[core][macs][bert]") {
  const MacCount count = count_dense_macs(BertConfig(), 128);
  CHECK(count.attention_linear == 12 * (int64_t{226'492'416} + 75'497'472));
  CHECK(count.attention_products == 12 * (int64_t{12'582'912} + 12'582'912));
  CHECK(count.mlp == 12 * int64_t{603'979'776});
  CHECK(count.patch_embed == 0);
}

TEST_CASE("LTP attends at the old length and runs the MLP at the new one", "[core][macs][bert]") {
  const std::vector<int64_t> lengths = {128, 128, 120, 112, 104, 96, 88, 80, 64, 48, 32, 24, 16};
  std::vector<LayerTokens> layers;
  for (size_t l = 0; l < 12; ++l) {
    layers.push_back({lengths[l], lengths[l], lengths[l + 1], 0, 0});
  }
  const MacCount count = count_macs(BertConfig(), layers, 128);
  CHECK(count.total() - count.head == 6'875'774'976);
}

TEST_CASE("a head of tokens reads every token, an embedding costs nothing", "[core][macs][bert]") {
  BertConfig bert;
  bert.pooler = PoolerActivation::none;
  bert.head = TextHead::tokens;
  bert.num_classes = 9;
  CHECK(count_dense_macs(bert, 100).head == 100 * 768 * 9);
  bert.head = TextHead::classification;
  CHECK(count_dense_macs(bert, 100).head == 768 * 9);
  bert.head = TextHead::embedding;
  bert.num_classes = 0;
  CHECK(count_dense_macs(bert, 100).head == 0);
}

TEST_CASE("an exit costs a classifier a block and nothing after it", "[core][macs][bert]") {
  const BertConfig bert;
  std::vector<LayerTokens> layers(12);
  for (int l = 0; l < 4; ++l) layers[l] = {128, 128, 128, 0, 0};
  const MacCount count = count_macs(bert, layers, 128, 4);
  CHECK(count.head == 4 * (768 * 768 + 768 * 2));
  CHECK(count.total() - count.head == 4 * int64_t{931'135'488});
}

TEST_CASE("counts of texts that make no sense are refused", "[core][macs][bert]") {
  const BertConfig bert;
  std::vector<LayerTokens> layers(11);
  CHECK_REFUSES(count_macs(bert, layers, 128), "expected rows for 12 blocks, got 11");
  layers.resize(12);
  CHECK_REFUSES(count_macs(bert, layers, -1), "expected at least 0 tokens");
  CHECK_REFUSES(count_macs(bert, layers, 1, -1), "expected at least 0 tokens and classifiers");
  layers[3].mlp = -1;
  CHECK_REFUSES(count_macs(bert, layers, 1), "expected at least 0 rows");
}
