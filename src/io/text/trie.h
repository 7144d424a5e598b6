#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// Strings with numbers, for the longest one that a text begins with. A node's children lie side by
/// side, so that a step is a search in a few bytes.
class Trie {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Match {
    std::int32_t id;  ///< -1 if no string fits.
    std::size_t end;  ///< After its last byte in the text.
  };

  /// Numbers are positions in `strings`; of equal ones the last counts. The empty one is left out.
  explicit Trie(std::span<const std::string> strings);

  /// The node below `node` by the bytes of `path`; kNone if no string has them. The root is 0.
  std::uint32_t descend(std::uint32_t node, std::string_view path) const;

  /// The longest string below `node` that the text has at byte `at`, its bytes read as fold[byte].
  Match longest(std::uint32_t node, std::string_view text, std::size_t at,
                const unsigned char* fold) const;

 private:
  std::uint32_t child(std::uint32_t node, unsigned char label) const;

  std::vector<std::uint32_t> first_child_;  ///< [nodes + 1]
  std::vector<unsigned char> label_;        ///< [nodes], of the edge to the node
  std::vector<std::int32_t> id_;            ///< [nodes], -1 where no string ends
};

}  // namespace tokensieve
