#pragma once

#include <deque>
#include <string>
#include <vector>

#include "evaluation.h"

namespace CLI {
class App;
}

namespace tokensieve::cli {

/// The option --truncate: plain truncation, the control that every way to drop the tokens of texts
/// has to beat.
struct TruncateOption {
  std::vector<std::string> texts;  ///< Numbers of tokens, or "equal".

  void add_to(CLI::App& command);
  bool given() const { return !texts.empty(); }
  /// Throws std::invalid_argument for words that are neither.
  void check() const;
  /// The numbers of tokens, ascending; for "equal" those of equal_truncations().
  std::vector<int> lengths(const Evaluation& evaluation) const;
};

/// For each recipe of an evaluation of texts the fewest tokens after which to cut them off for
/// dense to cost no fewer mean MACs than the recipe did; none for one that costs as much as dense.
std::vector<int> equal_truncations(const Evaluation& evaluation);

/// The evaluation's dense contender on texts cut off after each of `lengths` tokens,
/// "truncate(64)". The cut texts are kept in `samples`.
std::vector<Contender> truncated(const Contender& dense, const std::vector<int>& lengths,
                                 std::deque<TextSamples>& samples);

}  // namespace tokensieve::cli
