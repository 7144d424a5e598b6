#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/vocabulary.h"

namespace tokensieve {

/// Which neighbouring tokens become one, the earliest of the list first (BPE).
class Merges {
 public:
  /// Each merge is a pair of tokens. Throws runtime_error, naming the merge, if one of them or
  /// their concatenation is not in the vocabulary, or there are more merges than tokens allowed.
  Merges(const std::vector<std::pair<std::string, std::string>>& merges,
         const Vocabulary& vocabulary, std::string_view file);

  /// A token and how many of the symbols it is made of.
  struct Symbol {
    std::int32_t id;
    std::uint32_t length;
  };
  /// Merges the symbols of a word in place until no pair is in the list; of equal pairs the
  /// leftmost goes first.
  void apply(std::vector<Symbol>& symbols) const;

 private:
  struct Merge {
    std::uint32_t rank;
    std::int32_t id;
  };
  const Merge* find(std::int32_t left, std::int32_t right) const;

  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace tokensieve
