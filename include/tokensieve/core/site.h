#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// Where in a block tokens may leave.
enum class SitePosition {
  before_block,      ///< Before the block's first norm (DynamicViT, SaiT, AdapLeR).
  inside_attention,  ///< After the scores: query rows leave, keys and values stay (ATS).
  after_attention,   ///< After the attention residual, before the MLP (EViT, ToMe, LTP).
  after_block,       ///< After the MLP residual (A-ViT).
};

/// One place in the network, `layer` counted from 0.
struct Site {
  int layer = 0;
  SitePosition position = SitePosition::before_block;

  bool operator==(const Site&) const = default;
  /// Order of execution.
  auto operator<=>(const Site&) const = default;
};

/// The recipe word of a position: "before", "inside_attention", "after_attention", "after_block".
std::string_view to_string(SitePosition position);
/// These words, in the order of SitePosition.
const std::vector<std::string>& site_position_words();
/// The position of a recipe word. Throws std::invalid_argument with the nearest word.
SitePosition parse_site_position(std::string_view word);
/// "after_attention:3".
std::string to_string(const Site& site);
/// "before:3 before:6"
std::string to_string(std::span<const Site> sites);

}  // namespace tokensieve
