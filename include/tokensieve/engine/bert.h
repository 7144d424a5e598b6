#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/core/schedule.h"
#include "tokensieve/engine/run_output.h"
#include "tokensieve/engine/workspace.h"
#include "tokensieve/io/weights.h"

namespace tokensieve {

/// One text, or a pair, as the network reads it: Tokens of tokenizer.h, or ids from elsewhere.
struct TokensView {
  std::span<const int32_t> ids;  ///< Special tokens included; the first is the class token.
  /// 0 for the first text of a pair, 1 for the second; empty: all 0. A network without token types
  /// does not look at them.
  std::span<const int32_t> types = {};
};

struct BertImpl;

/// A BERT, MiniLM, TinyBERT, DistilBERT or RoBERTa network ready to run on packed ragged rows in
/// float32: texts of any lengths in one batch, without padding, and dropped rows really leave.
/// Immutable: one model serves many threads, each with a Workspace of its own.
///
/// The class token ([CLS], RoBERTa's <s>) is the one prefix token: in a trace, token 0 is the one
/// after it. Where the head reads every token (TextHead::tokens, question_answering, a mean), a
/// token that was dropped is there with the state it had last, and one that was merged or fused
/// with that of its row.
class Bert {
 public:
  /// Reads and packs the weights, and those of the classifiers for early exit and the contribution
  /// predictors where the config has them (sieve_tensors()).
  /// Throws std::invalid_argument for a config that makes no sense and std::runtime_error for
  /// weights that do not fit it.
  Bert(BertConfig config, const WeightSource& weights, const WeightSource* sieve = nullptr);
  ~Bert();
  Bert(Bert&&) noexcept;
  Bert& operator=(Bert&&) noexcept;

  const BertConfig& config() const;
  /// Throws std::invalid_argument when this network cannot run `schedule`, with the reason: a site
  /// after its last block, scores that it has no predictors for, an exit without classifiers
  /// after the blocks.
  void check(const Schedule& schedule) const;

  /// Runs a batch under `schedule` on `threads` threads (0: one a core). Texts may differ in
  /// length, end with different counts of rows, and exit after different blocks: a text that exits
  /// leaves the batch, and its logits are those of the classifier there. Returns one output for
  /// each text, the same as it gets alone. Throws std::invalid_argument for a text without tokens,
  /// with more than max_positions, or with an id or a type that the network does not have, and as
  /// check() does.
  std::vector<RunOutput> run(std::span<const TokensView> texts, const Schedule& schedule,
                             Workspace& workspace, int threads = 0) const;

 private:
  std::unique_ptr<const BertImpl> impl_;
};

}  // namespace tokensieve
