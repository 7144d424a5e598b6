#include "text/trie.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace tokensieve {

Trie::Trie(std::span<const std::string> strings) {
  std::vector<std::int32_t> order(strings.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int32_t i) -> std::string_view {
    return strings[static_cast<std::size_t>(i)];
  });
  const auto text = [&](std::size_t k) -> const std::string& {
    return strings[static_cast<std::size_t>(order[k])];
  };

  // Breadth first: a node is a range of the sorted strings that agree in their first `depth` bytes.
  struct Range {
    std::size_t begin, end, depth;
  };
  std::vector<Range> nodes = {{0, order.size(), 0}};
  label_.push_back(0);
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    auto [begin, end, depth] = nodes[node];
    id_.push_back(-1);
    for (; begin < end && text(begin).size() == depth; ++begin) {
      if (depth > 0) id_.back() = order[begin];
    }
    first_child_.push_back(static_cast<std::uint32_t>(nodes.size()));
    while (begin < end) {
      const char label = text(begin)[depth];
      std::size_t next = begin + 1;
      while (next < end && text(next)[depth] == label) ++next;
      nodes.push_back({begin, next, depth + 1});
      label_.push_back(static_cast<unsigned char>(label));
      begin = next;
    }
  }
  first_child_.push_back(static_cast<std::uint32_t>(nodes.size()));
}

std::uint32_t Trie::child(std::uint32_t node, unsigned char label) const {
  const std::uint32_t begin = first_child_[node], end = first_child_[node + 1];
  if (begin == end) return kNone;
  const void* const found = std::memchr(&label_[begin], label, end - begin);
  if (!found) return kNone;
  return static_cast<std::uint32_t>(static_cast<const unsigned char*>(found) - label_.data());
}

std::uint32_t Trie::descend(std::uint32_t node, std::string_view path) const {
  for (std::size_t k = 0; k < path.size() && node != kNone; ++k) {
    node = child(node, static_cast<unsigned char>(path[k]));
  }
  return node;
}

Trie::Match Trie::longest(std::uint32_t node, std::string_view text, std::size_t at,
                          const unsigned char* fold) const {
  Match best{-1, at};
  for (; at < text.size(); ++at) {
    node = child(node, fold[static_cast<unsigned char>(text[at])]);
    if (node == kNone) break;
    if (id_[node] >= 0) best = {id_[node], at + 1};
  }
  return best;
}

}  // namespace tokensieve
