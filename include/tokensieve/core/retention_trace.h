#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokensieve/core/site.h"
#include "tokensieve/core/token_plan.h"

namespace tokensieve {

/// What became of an input token at a site.
enum class Fate : uint8_t {
  kept,     ///< Alone in its row, unchanged.
  merged,   ///< In a row that is a mean of several tokens: weights sum to 1 (ToMe's groups).
  fused,    ///< In a row that is any other weighted sum (EViT's fused token).
  dropped,  ///< In no row (any more).
};

/// The state of one sample's input tokens after one site. Vectors have one entry for each input
/// token, prefix tokens not counted.
struct SiteTrace {
  Site site;
  int64_t rows = 0;           ///< Rows that are left, prefix rows included.
  std::vector<int32_t> row;   ///< Row the token is in, prefix rows counted; -1 when dropped.
  std::vector<float> weight;  ///< Its weight there, products over all sites; 0 when dropped.
  std::vector<float> score;   ///< Score of its row at this site; NaN when it had none.
  std::vector<Fate> fate;
  std::string score_name = "score";  ///< What the scores are: "class attention".
  /// How often its row was drawn at this site, by a method that samples (ATS); empty for others.
  std::vector<int32_t> draws = {};
  /// For each row that is left, prefix rows included: the token at whose place it stands, which is
  /// that of its first source (RowColumns::origin()); prefix rows have -1, -2, ...
  std::vector<int32_t> origin = {};
};

/// Which input token is where after each site, for one sample. Indices count input tokens without
/// prefix tokens; for an image, row-major over the patch grid.
struct RetentionTrace {
  int64_t num_tokens = 0;  ///< Input tokens (patches or words).
  int num_prefix_tokens = 0;
  std::vector<SiteTrace> sites;  ///< In order of execution; empty for a dense run.
  int exit_layer = -1;           ///< Block after which the sample exited; -1: it went to the end.

  /// Ascending input tokens whose fate after site `s` is `kept`; all of them when there is no site.
  /// `s` = -1 means the last site. Throws std::invalid_argument on any other site not in the trace.
  std::vector<int32_t> kept_indices(int s = -1) const;
  /// `[num_tokens]` layer of the site at which each token stopped having a row of its own, -1 when
  /// it never did.
  std::vector<int> dropped_at() const;
};

/// Follows the tokens of a batch through its plans.
class TraceRecorder {
 public:
  /// Starts a batch whose samples hold `layout.count(b) - num_prefix_tokens` input tokens. Throws
  /// std::invalid_argument when a sample has fewer rows than prefix tokens.
  void reset(const RaggedLayout& layout, int num_prefix_tokens);
  /// Records one site. `scores` `[input rows]` or empty, `score_name` what they are; `draws`
  /// `[input rows]` or empty. A token that the plan puts into several rows is followed into the
  /// first. Throws std::invalid_argument when the plan does not read the rows the last one left.
  void record(const Site& site, const TokenPlan& plan, std::span<const float> scores,
              std::string_view score_name = "score", std::span<const int32_t> draws = {});
  /// Goes on with some samples of the batch, by ascending position in it; the others have exited
  /// after block `exit_layer` and their traces end here. Throws std::invalid_argument when
  /// `samples` are not ascending or not in the batch.
  void select(std::span<const int64_t> samples, int exit_layer);
  /// The traces, one for each sample of reset(); the recorder is empty afterwards.
  std::vector<RetentionTrace> take();

 private:
  std::vector<RetentionTrace> traces_;
  std::vector<size_t> live_;  // the trace of each sample that is still in the batch
  RaggedLayout layout_;       // of the rows the last plan left
};

}  // namespace tokensieve
