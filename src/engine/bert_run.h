#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bert_weights.h"
#include "parked_states.h"
#include "ragged_run.h"
#include "tokensieve/engine/bert.h"

namespace tokensieve {

/// One pass of a batch of texts through the network.
class BertRun final : RaggedRun {
 public:
  BertRun(const BertConfig& config, const BertWeights& weights, const Schedule& schedule,
          Workspace::Buffers& buffers);
  std::vector<RunOutput> operator()(std::span<const TokensView> texts);

 private:
  void embed(std::span<const TokensView> texts);
  void block(int layer);
  /// Classifies after block `layer` and lets the texts go that are certain.
  void exit(int layer);
  TokenPredictor* predictor() override {
    return weights_.contributions.empty() ? nullptr : &contributions_;
  }
  void predicted() override;
  void follows(const TokenPlan& plan) override;

  bool reads_all_tokens() const;
  /// Every token's last live state, in the order they came.
  RowsView<float> all_tokens();
  /// Logits from the class rows, `[batch, num_classes]`.
  RowsView<float> classify(const Linear& classifier);
  void write_class_logits();
  void write_token_logits();
  void write_embeddings();
  std::vector<RunOutput> outputs();

  const BertConfig& config_;
  const BertWeights& weights_;
  ContributionRun contributions_;
  std::optional<ParkedStates> parked_;
  std::vector<std::vector<float>> logits_;  // [started batch]
  std::vector<ExitState> exit_states_;      // [started batch]
  std::vector<int64_t> classifiers_;        // [started batch] classifiers that have run
  std::vector<int64_t> predictor_macs_;     // [started batch]
  std::vector<int64_t> num_tokens_;         // [started batch]
};

}  // namespace tokensieve
