#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokensieve/core/ragged_layout.h"

namespace tokensieve {

/// Heads in which a patch attends to its neighbourhood only (MaiT, arXiv 2207.03006): the keys at
/// most `rows` and `columns` patches away, itself included. Prefix tokens see and are seen by all.
struct AttentionMasks {
  /// What becomes of the logits of all other keys before the softmax.
  enum class Kind {
    multiplicative,  ///< 0, so that each still has a share (MaiT eq. 2).
    hard,            ///< Minus infinity: another method, which cannot look past its neighbours.
  };
  /// Per block the masked heads, ascending; a list without entries is a block without masks. Empty:
  /// no masks at all, otherwise one list a block.
  std::vector<std::vector<int>> heads;
  int rows = 1;
  int columns = 1;  ///< 1 and 1 are 3 x 3 patches.
  Kind kind = Kind::multiplicative;
  bool sees_prefix = true;  ///< Patches see the keys of prefix tokens.

  /// The masked heads of a block, none after the list.
  std::span<const int> of_block(int block) const;
  /// True when a neighbourhood on this grid is the whole grid, so that masks change nothing.
  bool covers(int64_t grid_height, int64_t grid_width) const;
  /// Throws std::invalid_argument unless every head is one of `num_heads` of its block, in
  /// ascending order, and the neighbourhood is of at most 255 patches on each side.
  void validate(std::span<const int> num_heads) const;
  bool operator==(const AttentionMasks&) const = default;
};

/// The kind's name as it stands there: "multiplicative".
std::string_view to_string(AttentionMasks::Kind kind);

/// What counts as near 1 and as near 0 among attention localities. In the paper, on 12 layers, the
/// layers whose heads were all masked had more than 0.7, and those without masks next to nothing.
struct LocalityLimits {
  double all = 0.7;    ///< From here on all heads of a block are masked.
  double none = 0.25;  ///< Below, a head loses its mask.
};

/// The masked heads of the next training by the attention locality of this one's (MaiT, arXiv
/// 2207.03006 section 4.2), `locality` `[blocks][heads]`: without any masks, the first head of
/// every block. Then, in blocks where some heads are masked, by their mean: all heads, the same, or
/// none. In blocks with all heads masked, those that are not below `none`. Throws
/// std::invalid_argument when `now` has other blocks, or a head that `locality` has not.
std::vector<std::vector<int>> choose_masked_heads(const AttentionMasks& now,
                                                  const std::vector<std::vector<double>>& locality,
                                                  LocalityLimits limits = {});

/// The keys each packed row sees in a masked head, as rows of its own sample, ascending. They
/// follow the origin of rows, so tokens that have left are nobody's neighbours.
struct Neighbourhoods {
  std::vector<int64_t> offsets = {0};  ///< [rows + 1] into `keys`.
  std::vector<int32_t> keys;

  std::span<const int32_t> of_row(int64_t row) const {
    return std::span(keys).subspan(static_cast<size_t>(offsets[row]),
                                   static_cast<size_t>(offsets[row + 1] - offsets[row]));
  }
};

/// Lists the neighbourhoods of a batch. `origin` `[rows]` is RowColumns::origin(); `grid_widths`
/// `[batch]` and `input_counts` `[batch]` are the patches in a line and in all of each input.
/// `result` is written over. Throws std::invalid_argument when an origin is not in its grid.
void list_neighbourhoods(const AttentionMasks& masks, const RaggedLayout& layout,
                         std::span<const int32_t> origin, int num_prefix_tokens,
                         std::span<const int64_t> grid_widths,
                         std::span<const int64_t> input_counts, Neighbourhoods& result);

/// Whether a masked head of a sample is computed pair by pair, which takes longer for a pair than
/// the product of all `rows` queries with all keys does: only where its neighbourhoods hold `pairs`
/// of at most a sixth of those. Otherwise the whole product is computed and masked.
bool pairs_pay(int64_t pairs, int64_t rows);

/// Pairs of a query and a key that are near each other when nothing has left a grid.
int64_t count_masked_pairs(const AttentionMasks& masks, int64_t grid_height, int64_t grid_width,
                           int num_prefix_tokens);

}  // namespace tokensieve
