#include "tokensieve/core/attention_masks.h"

#include <algorithm>
#include <numeric>

#include "refuses.h"
#include "tokensieve/core/macs.h"

using namespace tokensieve;

namespace {

using Keys = std::vector<int32_t>;

/// The neighbourhoods of one image in which only `origins` are left, a class row in front.
Neighbourhoods of_grid(const AttentionMasks& masks, int64_t height, int64_t width,
                       std::vector<int32_t> origins = {}) {
  const int64_t tokens = height * width;
  if (origins.empty()) {
    origins.resize(static_cast<size_t>(tokens));
    std::iota(origins.begin(), origins.end(), 0);
  }
  origins.insert(origins.begin(), -1);
  const auto layout = RaggedLayout::uniform(1, static_cast<int64_t>(origins.size()));
  Neighbourhoods result;
  list_neighbourhoods(masks, layout, origins, 1, std::vector{width}, std::vector{tokens}, result);
  return result;
}

Keys row(const Neighbourhoods& near, int64_t index) {
  const auto keys = near.of_row(index);
  return {keys.begin(), keys.end()};
}

}  // namespace

TEST_CASE("a patch sees its 3 x 3 neighbours and the class token", "[core][attention_masks]") {
  const Neighbourhoods near = of_grid({}, 14, 14);
  // The example: token 16, second row and column.
  CHECK(row(near, 16) == Keys{0, 1, 2, 3, 15, 16, 17, 29, 30, 31});
  CHECK(row(near, 1) == Keys{0, 1, 2, 15, 16});  // a corner: 4 and the class token
  CHECK(row(near, 2).size() == 7);               // an edge: 6
  CHECK(row(near, 0).size() == 197);             // the class token sees all
  AttentionMasks blind;
  blind.sees_prefix = false;
  CHECK(row(of_grid(blind, 14, 14), 16) == Keys{1, 2, 3, 15, 16, 17, 29, 30, 31});
  AttentionMasks wide;
  wide.columns = 2;  // 3 x 5
  CHECK(row(of_grid(wide, 14, 14), 1 + 2 * 14 + 5).size() == 16);
  AttentionMasks self;
  self.rows = self.columns = 0;
  CHECK(row(of_grid(self, 3, 3), 5) == Keys{0, 5});
}

TEST_CASE("neighbourhoods follow the origin of rows", "[core][attention_masks]") {
  // A 3 x 3 grid of which 8, 0, 4 and 5 are left, in that order: rows 1, 2, 3, 4.
  const Neighbourhoods near = of_grid({}, 3, 3, {8, 0, 4, 5});
  CHECK(row(near, 1) == Keys{0, 1, 3, 4});     // 8 sees 4, 5 and itself
  CHECK(row(near, 2) == Keys{0, 2, 3});        // 0 sees 4
  CHECK(row(near, 3) == Keys{0, 1, 2, 3, 4});  // the centre sees all
  CHECK(row(near, 4) == Keys{0, 1, 3, 4});
}

TEST_CASE("samples of a batch have neighbourhoods of their own", "[core][attention_masks]") {
  const auto layout = RaggedLayout::from_counts(std::vector<int64_t>{3, 5});
  const std::vector<int32_t> origin = {-1, 0, 1, -1, 0, 1, 2, 3};
  Neighbourhoods near;
  list_neighbourhoods({}, layout, origin, 1, std::vector<int64_t>{1, 4}, std::vector<int64_t>{2, 4},
                      near);
  CHECK(row(near, 1) == Keys{0, 1, 2});
  CHECK(row(near, 4) == Keys{0, 1, 2});
  CHECK(row(near, 5) == Keys{0, 1, 2, 3});
  CHECK(near.offsets.size() == 9);
}

TEST_CASE("a masked head goes pair by pair only where that is less work",
          "[core][attention_masks]") {
  CHECK(pairs_pay(100, 25));
  CHECK(pairs_pay(104, 25));
  CHECK_FALSE(pairs_pay(105, 25));
  CHECK(pairs_pay(int64_t{1} << 29, 1 << 16));

  // DeiT's grid: 3 x 3 and 5 x 5 patches pay, 7 x 7 are a fifth of all pairs.
  VitConfig config;
  config.masks.heads.assign(12, {0});
  const int64_t dense = count_dense_macs(VitConfig()).total();
  config.masks.rows = config.masks.columns = 2;
  CHECK(count_dense_macs(config).total() < dense);
  config.masks.rows = config.masks.columns = 3;
  CHECK(count_dense_macs(config).total() == dense);
}

TEST_CASE("pairs are counted without listing them", "[core][attention_masks]") {
  AttentionMasks masks;
  masks.rows = GENERATE(0, 1, 3, 20);
  masks.columns = GENERATE(1, 2);
  masks.sees_prefix = GENERATE(true, false);
  const Neighbourhoods near = of_grid(masks, 7, 5);
  CHECK(count_masked_pairs(masks, 7, 5, 1) == static_cast<int64_t>(near.keys.size()));
}

TEST_CASE("masks take their multiplications off the count", "[core][attention_masks][macs]") {
  VitConfig config;
  const int64_t dense = count_dense_macs(config).total();
  config.masks.heads.assign(12, {});
  CHECK(count_dense_macs(config).total() == dense);
  config.masks.heads[3] = {0, 2};
  const int64_t pairs = count_masked_pairs(config.masks, 14, 14, 1);
  CHECK(count_dense_macs(config).total() == dense - 2 * 2 * 64 * (197 * 197 - pairs));
  config.masks.rows = config.masks.columns = 13;  // the whole grid
  CHECK(count_dense_macs(config).total() == dense);
}

TEST_CASE("masks that do not fit are refused", "[core][attention_masks]") {
  const std::vector<int> heads = {3, 3};
  AttentionMasks masks;
  CHECK_NOTHROW(masks.validate(heads));
  masks.heads = {{0, 2}, {}};
  CHECK_NOTHROW(masks.validate(heads));
  CHECK(masks.of_block(0).size() == 2);
  CHECK(masks.of_block(1).empty());
  CHECK(masks.of_block(7).empty());
  masks.heads = {{0}};
  CHECK_REFUSES(masks.validate(heads), "expected masked heads of 2 blocks, got 1");
  masks.heads = {{}, {3}};
  CHECK_REFUSES(masks.validate(heads), "expected ascending heads of the 3 in block 1");
  masks.heads = {{1, 1}, {}};
  CHECK_REFUSES(masks.validate(heads), "in block 0");
  masks.heads = {{-1}, {}};
  CHECK_REFUSES(masks.validate(heads), "in block 0");
  masks.heads.clear();
  masks.rows = 256;
  CHECK_REFUSES(masks.validate(heads), "0 to 255 patches on each side, got 256 and 1");
  CHECK_REFUSES(of_grid({}, 2, 2, {4}), "expected origins below 4, got 4");
}

TEST_CASE("heads to mask follow from the attention locality", "[core][attention_masks]") {
  using Heads = std::vector<std::vector<int>>;
  const std::vector<std::vector<double>> locality = {{0.8, 0.1}, {0.5, 0.9}, {0.1, 0.9}, {}};
  AttentionMasks masks;
  CHECK(choose_masked_heads(masks, locality) == Heads{{0}, {0}, {0}, {}});
  masks.heads = {{}, {}, {}, {}};
  CHECK(choose_masked_heads(masks, locality) == Heads{{0}, {0}, {0}, {}});
  masks.heads = {{0}, {0}, {0}, {}};
  CHECK(choose_masked_heads(masks, locality) == Heads{{0, 1}, {0}, {}, {}});
  CHECK(choose_masked_heads(masks, locality, {0.4, 0.05}) == Heads{{0, 1}, {0, 1}, {0}, {}});
  // Where all are masked, each head is judged alone, and none comes back.
  masks.heads = {{0, 1}, {0}, {}, {}};
  CHECK(choose_masked_heads(masks, locality) == Heads{{0}, {0}, {}, {}});
  masks.heads = {{0}};
  CHECK_REFUSES((void)choose_masked_heads(masks, locality), "masked heads of 4 blocks, got 1");
  masks.heads = {{2}, {}, {}, {}};
  CHECK_REFUSES((void)choose_masked_heads(masks, locality), "ascending heads of the 2 in block 0");
}
