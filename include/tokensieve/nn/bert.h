#pragma once

#include <torch/torch.h>

#include <vector>

#include "tokensieve/core/bert_config.h"
#include "tokensieve/io/bert_tensors.h"
#include "tokensieve/nn/linear.h"

namespace tokensieve::nn {

/// What is added to the attention logits of a key that is not there; its weight is then exactly 0.
inline constexpr double kMaskedLogit = -10000.0;

/// Rows after an attention, and how much of it each token received.
struct ScoredRows {
  torch::Tensor rows;    ///< `[B, n, C]`
  torch::Tensor scores;  ///< `[B, n]`, float32 at least, with gradients.
};

/// A BERT, MiniLM, TinyBERT, DistilBERT or RoBERTa classifier that can be trained. Parameters have
/// Hugging Face's names (`bert_tensors()` and `exit_tensors()` list them).
///
/// Tokens are `[B, 2, n]`, int64: ids and token types, -1 in both after the end of a text. Row 0
/// is the class token's.
class BertImpl : public torch::nn::Module {
 public:
  /// Weights start as Hugging Face's do: normal of std 0.02, zero biases. `dropout` in [0, 1) is of
  /// the embeddings, the attention, both branches and the pooled row. Throws std::invalid_argument
  /// for a config that makes no sense or has another head.
  explicit BertImpl(const BertConfig& config, double dropout = 0.0);

  const BertConfig& config() const { return config_; }

  /// Tokens to rows `[B, n, C]`. Throws std::invalid_argument for other shapes and for texts that
  /// are too long.
  torch::Tensor embed(const torch::Tensor& tokens);
  /// Where texts have tokens: `[B, n]`, 1 or 0.
  static torch::Tensor present(const torch::Tensor& tokens);
  /// Attention bias of keys that are `kept` `[B, n]` (1) or not (0); undefined where all are.
  static torch::Tensor bias_of(const torch::Tensor& kept);

  /// The attention half of block `index`, `LN(x + f(x))`: rows `[B, n, C]` to such rows. `bias`
  /// `[B, n]` is added to the logits of each key; undefined: nothing. A half that the config leaves
  /// out returns its rows.
  torch::Tensor attend(int index, const torch::Tensor& rows, const torch::Tensor& bias = {});
  /// The same with the attention that each token receives from the rows of `live` `[B, n]` (1 or
  /// 0): sum over heads and those queries, divided by heads times `n_ref`, the reference length
  /// (LTP, arXiv 2107.00910); 0: by heads times the live rows. In training that is attention after
  /// dropout. Throws std::invalid_argument where the block has no attention.
  ScoredRows attend(int index, const torch::Tensor& rows, const torch::Tensor& bias,
                    const torch::Tensor& live, int64_t n_ref = 0);
  /// The other half.
  torch::Tensor mlp(int index, const torch::Tensor& rows);
  /// Class rows `[B, C]` through the pooler, which all exits share.
  torch::Tensor pool(const torch::Tensor& class_rows);
  /// Pooled rows after block `index` to logits `[B, classes]`, by the classifier there; the last
  /// block's is the network's own. Throws std::invalid_argument where there is none.
  torch::Tensor exit(int index, const torch::Tensor& pooled);
  /// Class rows after the last block to logits.
  torch::Tensor classify(const torch::Tensor& class_rows);

  /// Class rows `[B, C]` after every block, all tokens present.
  std::vector<torch::Tensor> class_rows(const torch::Tensor& tokens);
  /// Tokens to logits.
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  struct Block {
    int64_t num_heads = 0;
    Linear query{nullptr}, key{nullptr}, value{nullptr}, projection{nullptr};
    Linear fc1{nullptr}, fc2{nullptr};
    torch::nn::LayerNorm attention_norm{nullptr}, mlp_norm{nullptr};
  };
  Block make_block(const BertBlockNames& names, int index);
  /// attend(), with sums over `queries` as they are; undefined: none.
  ScoredRows attend_from(int index, const torch::Tensor& rows, const torch::Tensor& bias,
                         const torch::Tensor& queries);
  torch::Tensor drop(const torch::Tensor& x) const;

  BertConfig config_;
  double dropout_;
  torch::nn::Embedding words_{nullptr}, positions_{nullptr}, types_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  std::vector<Block> blocks_;
  Linear pooler_{nullptr}, classifier_{nullptr};
  std::vector<Linear> exits_;
};
TORCH_MODULE(Bert);

}  // namespace tokensieve::nn
