#include "tokensieve/core/attention_masks.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "tokensieve/core/error.h"

namespace tokensieve {
namespace {

constexpr int kMaxReach = 255;

/// Places of a line of `length` at most `reach` away from `place`, itself included.
int64_t within_reach(int64_t place, int64_t reach, int64_t length) {
  return std::min(place + reach, length - 1) - std::max<int64_t>(place - reach, 0) + 1;
}

}  // namespace

std::string_view to_string(AttentionMasks::Kind kind) {
  return kind == AttentionMasks::Kind::hard ? "hard" : "multiplicative";
}

std::span<const int> AttentionMasks::of_block(int block) const {
  if (block < 0 || static_cast<size_t>(block) >= heads.size()) return {};
  return heads[static_cast<size_t>(block)];
}

bool AttentionMasks::covers(int64_t grid_height, int64_t grid_width) const {
  return sees_prefix && rows >= grid_height - 1 && columns >= grid_width - 1;
}

void AttentionMasks::validate(std::span<const int> num_heads) const {
  check_argument(rows >= 0 && rows <= kMaxReach && columns >= 0 && columns <= kMaxReach,
                 "[attention_masks] expected a neighbourhood of 0 to ", kMaxReach,
                 " patches on each side, got ", rows, " and ", columns);
  check_argument(heads.empty() || heads.size() == num_heads.size(),
                 "[attention_masks] expected masked heads of ", num_heads.size(), " blocks, got ",
                 heads.size());
  for (size_t block = 0; block < heads.size(); ++block) {
    const std::vector<int>& masked = heads[block];
    const bool ascending =
        std::ranges::adjacent_find(masked, std::greater_equal<>()) == masked.end();
    check_argument(
        ascending && (masked.empty() || (masked.front() >= 0 && masked.back() < num_heads[block])),
        "[attention_masks] expected ascending heads of the ", num_heads[block], " in block ",
        block);
  }
}

std::vector<std::vector<int>> choose_masked_heads(const AttentionMasks& now,
                                                  const std::vector<std::vector<double>>& locality,
                                                  LocalityLimits limits) {
  std::vector<int> num_heads;
  for (const auto& block : locality) num_heads.push_back(static_cast<int>(block.size()));
  now.validate(num_heads);
  const bool first =
      std::ranges::all_of(now.heads, [](const auto& heads) { return heads.empty(); });
  std::vector<std::vector<int>> next(locality.size());
  for (size_t block = 0; block < locality.size(); ++block) {
    const std::span<const int> masked = now.of_block(static_cast<int>(block));
    const std::vector<double>& of_head = locality[block];
    if (first) {
      if (!of_head.empty()) next[block] = {0};
      continue;
    }
    double sum = 0;
    for (const int head : masked) {
      const double own = of_head[static_cast<size_t>(head)];
      sum += own;
      if (masked.size() < of_head.size() || own >= limits.none) next[block].push_back(head);
    }
    if (masked.empty() || masked.size() == of_head.size()) continue;
    const double mean = sum / static_cast<double>(masked.size());
    if (mean < limits.none) next[block].clear();
    if (mean >= limits.all) {
      next[block].resize(of_head.size());
      std::iota(next[block].begin(), next[block].end(), 0);
    }
  }
  return next;
}

void list_neighbourhoods(const AttentionMasks& masks, const RaggedLayout& layout,
                         std::span<const int32_t> origin, int num_prefix_tokens,
                         std::span<const int64_t> grid_widths,
                         std::span<const int64_t> input_counts, Neighbourhoods& result) {
  const auto prefix = static_cast<int32_t>(num_prefix_tokens);
  result.offsets.assign(1, 0);
  result.keys.clear();
  const auto ascends = [&](int64_t first, int64_t count) {
    return std::is_sorted(origin.begin() + first + prefix, origin.begin() + first + count);
  };
  std::vector<int32_t> row_of;  // of each input token of a sample, -1 where it has left
  for (int64_t sample = 0; sample < layout.batch(); ++sample) {
    const int64_t first = layout.offset(sample), count = layout.count(sample);
    const int64_t width = grid_widths[static_cast<size_t>(sample)];
    const int64_t tokens = input_counts[static_cast<size_t>(sample)];
    const bool sorted = ascends(first, count);
    row_of.assign(static_cast<size_t>(tokens), -1);
    for (int64_t row = prefix; row < count; ++row) {
      const int32_t token = origin[static_cast<size_t>(first + row)];
      check_argument(token >= 0 && token < tokens, "[attention_masks] expected origins below ",
                     tokens, ", got ", token);
      row_of[static_cast<size_t>(token)] = static_cast<int32_t>(row);
    }
    for (int64_t row = 0; row < count; ++row) {
      const size_t before = result.keys.size();
      if (row < prefix) {
        result.keys.resize(before + static_cast<size_t>(count));
        std::iota(result.keys.begin() + static_cast<int64_t>(before), result.keys.end(), 0);
      } else {
        for (int32_t key = 0; masks.sees_prefix && key < prefix; ++key) result.keys.push_back(key);
        const int64_t token = origin[static_cast<size_t>(first + row)];
        const int64_t y = token / width, x = token % width, height = tokens / width;
        const int64_t bottom = std::min(y + masks.rows, height - 1);
        const int64_t right = std::min(x + masks.columns, width - 1);
        for (int64_t i = std::max<int64_t>(y - masks.rows, 0); i <= bottom; ++i) {
          for (int64_t j = std::max<int64_t>(x - masks.columns, 0); j <= right; ++j) {
            const int32_t key = row_of[static_cast<size_t>(i * width + j)];
            if (key >= 0) result.keys.push_back(key);
          }
        }
        // Rows need not stand in the order of their origins.
        if (!sorted) {
          std::sort(result.keys.begin() + static_cast<int64_t>(before), result.keys.end());
        }
      }
      result.offsets.push_back(static_cast<int64_t>(result.keys.size()));
    }
  }
}

bool pairs_pay(int64_t pairs, int64_t rows) {
  constexpr int64_t kCostOfPair = 6;  // in pairs of the whole product
  return kCostOfPair * pairs <= rows * rows;
}

int64_t count_masked_pairs(const AttentionMasks& masks, int64_t grid_height, int64_t grid_width,
                           int num_prefix_tokens) {
  const int64_t patches = grid_height * grid_width;
  int64_t vertical = 0, horizontal = 0;
  for (int64_t y = 0; y < grid_height; ++y) vertical += within_reach(y, masks.rows, grid_height);
  for (int64_t x = 0; x < grid_width; ++x) horizontal += within_reach(x, masks.columns, grid_width);
  const int64_t seen = masks.sees_prefix ? patches * num_prefix_tokens : 0;
  return vertical * horizontal + seen + num_prefix_tokens * (patches + num_prefix_tokens);
}

}  // namespace tokensieve
