#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "norm.h"
#include "onednn/linear.h"
#include "tokensieve/core/macs.h"
#include "tokensieve/core/schedule.h"
#include "workspace.h"

namespace tokensieve {

/// One pass of a batch on packed ragged rows under a schedule: what all networks share. Rows, their
/// columns, what attention handed over, the layout and the trace move together; a network says what
/// its blocks compute.
class RaggedRun {
 public:
  /// What a network says of itself.
  struct Network {
    const char* name = "";  ///< "[vit]", for messages.
    int64_t dim = 0;
    int head_dim = 0;
    int depth = 0;
    int num_prefix_tokens = 0;
    float layer_norm_eps = 0;
  };

 protected:
  RaggedRun(const Network& network, const Schedule& schedule, Workspace::Buffers& buffers);
  ~RaggedRun() = default;

  /// Begins a batch: `counts` are each sample's tokens without prefix. Makes room for their rows.
  void start(std::vector<int64_t> counts, std::vector<uint64_t> sample_keys);

  /// Hidden state `[rows, dim]`.
  RowsView<float> state();
  int64_t batch() const { return layout_.batch(); }
  /// The samples of the batch that was started which are still in it.
  std::span<const int64_t> samples() const { return samples_; }

  /// Writes down the rows that every sample has now.
  void note(int layer, int64_t LayerTokens::*rows);
  /// Decides and applies the site, if there is one.
  void visit(const Site& site);
  /// Attention of `x` `[rows, dim]`, `[query rows, heads * head_dim]`: a site inside may leave
  /// fewer.
  RowsView<float> attend(const Linear& qkv, RowsView<const float> x, int num_heads, int layer);
  /// state += linear(x)
  void residual(const Linear& linear, RowsView<const float> x);
  void normalize(const Norm& norm, RowsView<const float> x, RowsView<float> y);
  /// Goes on with some samples of the batch, by ascending position in it; the others have exited
  /// after block `layer`.
  void select(std::span<const int64_t> stay, int layer);

  /// Adds the masked heads of a block to the input of its attention, where a network has some.
  virtual void mask(int /*layer*/, AttentionInput& /*input*/) {}
  /// Learned scores, or null.
  virtual TokenPredictor* predictor() { return nullptr; }
  /// A reducer has decided with learned scores, and its rows have not moved yet.
  virtual void predicted() {}
  /// Rows are about to move.
  virtual void follows(const TokenPlan& /*plan*/) {}

  const Network network_;
  const Schedule& schedule_;
  Workspace::Buffers& buffers_;
  RaggedLayout layout_;
  std::vector<int64_t> input_counts_;             // [batch]
  std::vector<uint64_t> sample_keys_;             // [batch]
  std::vector<int64_t> samples_;                  // [batch]
  std::vector<std::vector<LayerTokens>> layers_;  // [started batch][depth]

 private:
  Reduction reduce(const ScheduledSite& site);
  void follow(const TokenPlan& plan);
  /// Log of every row's size, for attention in proportion to it.
  std::span<const float> key_bias();
  LayerTokens& tokens_of(int64_t position, int layer) {
    return layers_[static_cast<size_t>(samples_[static_cast<size_t>(position)])]
                  [static_cast<size_t>(layer)];
  }
  /// Pairs of a query and a key that a masked head of `sample` multiplies.
  int64_t masked_pairs(const AttentionInput& input, int64_t sample) const;
  void count_masked_pairs(int layer, const AttentionInput& input);
  /// The pass before a site inside attention: by-products only.
  void score_queries(const AttentionInput& input, const AttentionOutput& output, int layer);
  void run_attention(const AttentionInput& input, const AttentionOutput& output);
};

}  // namespace tokensieve
