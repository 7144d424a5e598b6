#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tokensieve/core/attention_trace.h"
#include "tokensieve/core/row_columns.h"
#include "tokensieve/core/rows_view.h"
#include "tokensieve/core/site.h"
#include "tokensieve/core/token_plan.h"
#include "tokensieve/core/token_predictor.h"

namespace tokensieve {

/// Everything a method may look at when it decides. Views into the running network, valid during
/// the call only; rows are packed by `layout`.
struct SiteInput {
  const RaggedLayout& layout;
  RowsView<const float> state;            ///< [rows, dim] hidden state at the site.
  const RowColumns& columns;              ///< origin, size and added columns of the rows.
  const AttentionTrace& attention;        ///< What attention_request() asked for.
  std::span<const int64_t> input_counts;  ///< [batch] prunable tokens each sample started with.
  std::span<const uint64_t> sample_keys;  ///< [batch] a hash of each input; only for seeded draws.
  int num_prefix_tokens = 1;              ///< Protected rows in front of every sample.
  Site site;
  int site_index = 0;                   ///< 0 for the first site of the schedule.
  TokenPredictor* predictor = nullptr;  ///< Learned scores; null when the model has none.
};

/// A decision and the numbers it was made from.
struct Reduction {
  TokenPlan plan;
  std::vector<float>
      scores;  ///< [rows] score of each input row, NaN for prefix rows; may be empty.
  std::string score_name = "score";  ///< What the scores are, in words.
  /// [rows] how often each input row was drawn, by a method that samples; empty for the others.
  std::vector<int32_t> draws = {};
};

/// The interface a token-reduction method implements; triple_reducer() of triple_reducer.h is the
/// usual way to one. A reducer is immutable, knows no model and may be called from many threads.
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// What attention must hand over for this decision.
  virtual AttentionRequest attention_request() const = 0;
  /// What the decision asks SiteInput::predictor for.
  virtual LearnedScore learned_score() const { return LearnedScore::none; }
  /// True when the method would keep every row at site `site_index` whatever the input, so that the
  /// site can be skipped and costs nothing.
  virtual bool keeps_everything(int site_index) const = 0;
  /// True when the output rows are all copies, so that query rows can leave inside attention.
  virtual bool is_gather() const { return true; }
  /// True when how many rows stay depends on how many there are alone, not on what they hold.
  virtual bool has_fixed_count() const { return false; }
  /// True when attention after this site adds log(size of a row) to the logits of its key, so that
  /// a merged row counts as often as the tokens it holds (ToMe, arXiv 2210.09461 eq. 1).
  virtual bool proportional_attention() const { return false; }
  /// Decides. The plan reads `input.layout` and keeps prefix rows in front.
  virtual Reduction reduce(const SiteInput& input) const = 0;
};

}  // namespace tokensieve
