#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/token_plan.h"

namespace tokensieve {

/// How a column follows a row that is a sum of several rows.
enum class Combine {
  first,     ///< The value of the first source (an identity, such as origin).
  sum,       ///< The plain sum over the sources, weights ignored (a mass, such as ToMe's size).
  weighted,  ///< The weighted sum, like the hidden state (a running mean, a halting sum).
};

/// What every packed row carries beside its hidden state. `origin` and `size` always exist;
/// more can be added by name. One call of apply() moves all of them.
class RowColumns {
 public:
  /// Columns of a fresh batch: prefix tokens get origin -1, -2, ... in order, input token `i` gets
  /// origin `i`; every size is 1; added columns are forgotten. Throws std::invalid_argument when a
  /// sample has fewer rows than prefix tokens.
  void reset(const RaggedLayout& layout, int num_prefix_tokens);

  /// `[rows]` input token a row stands for (the first one, for a sum); negative for prefix tokens.
  std::span<const int32_t> origin() const { return origin_; }
  /// `[rows]` number of input tokens a row stands for (ToMe's size, arXiv 2210.09461).
  std::span<const float> size() const { return size_; }

  /// Adds a column filled with `initial`. Throws std::invalid_argument when the name is taken.
  void add(std::string name, Combine combine, float initial);
  /// `[rows]` values of an added column. Throws std::invalid_argument when there is none.
  std::span<float> column(std::string_view name);
  std::span<const float> column(std::string_view name) const;

  /// Keeps the rows of some samples of `layout` only, by ascending position in the batch. Throws
  /// std::invalid_argument when there are not as many rows as the layout has, and as
  /// RaggedLayout::select() does.
  void select(const RaggedLayout& layout, std::span<const int64_t> samples);

  /// Moves every column to the plan's output rows. Throws std::invalid_argument when the plan does
  /// not read as many rows as there are.
  void apply(const TokenPlan& plan);

 private:
  struct Column {
    std::string name;
    Combine combine;
    std::vector<float> values;
  };

  std::vector<int32_t> origin_, next_origin_;
  std::vector<float> size_, next_;  // next_*: apply() writes here and swaps
  std::vector<Column> columns_;
};

}  // namespace tokensieve
