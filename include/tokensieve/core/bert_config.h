#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tokensieve {

/// What a text network gives for its tokens.
enum class TextHead {
  embedding,           ///< One vector a text: the pooled rows (sentence-transformers).
  classification,      ///< Logits a text, from the class row.
  tokens,              ///< Logits a token: token classification.
  question_answering,  ///< Two logits a token, as the start and as the end of an answer.
};

/// The head's name as it stands here: "classification".
std::string_view to_string(TextHead head);

/// Which rows TextHead::embedding reads.
enum class TextPooling {
  class_token,  ///< Row 0.
  mean,         ///< Mean over all rows of the text, [CLS] and [SEP] among them, in their last live
                ///< state.
};

/// Activation of the linear between the class row and the classifier.
enum class PoolerActivation {
  none,  ///< There is no such linear.
  tanh,  ///< BERT's pooler, RoBERTa's `classifier.dense`.
  relu,  ///< DistilBERT's `pre_classifier`.
};

/// Hidden width of a contribution predictor (AdapLeR, arXiv 2203.08991).
inline constexpr int kContributionWidth = 32;

/// Sizes and switches of a BERT, MiniLM, TinyBERT, DistilBERT or RoBERTa encoder (post-norm:
/// LN(X + f(X))). Head count and MLP width are per block and may be 0: that half of the block, its
/// norm included, is then skipped.
struct BertConfig {
  std::string name = "bert";  ///< Hugging Face's model_type: "bert", "distilbert" or "roberta".
  int vocab_size = 30522;
  int max_positions = 512;  ///< Tokens of the longest text.
  /// Rows of the position table in front of the first token's (RoBERTa: pad id + 1 = 2).
  int position_offset = 0;
  int type_vocab_size = 2;  ///< 0: no token types (DistilBERT).
  int embed_dim = 768;
  int head_dim = 64;
  std::vector<int> num_heads = std::vector<int>(12, 12);  ///< Per block.
  std::vector<int> mlp_dim = std::vector<int>(12, 3072);  ///< Per block.
  TextHead head = TextHead::classification;
  TextPooling pooling = TextPooling::class_token;
  /// Of TextHead::classification; in a BERT with TextHead::embedding, tanh says that its weights
  /// are carried along for training. The other heads have none.
  PoolerActivation pooler = PoolerActivation::tanh;
  bool normalize = false;  ///< TextHead::embedding is scaled to length 1 (sentence-transformers).
  int num_classes = 2;     ///< Outputs of the classifier, a text or a token; 0 for an embedding.
  /// A classifier after every block but the last, after the shared pooler, for early exit (PABEE,
  /// Magic Pyramid).
  bool exits = false;
  bool contributions = false;  ///< A contribution predictor before every block (AdapLeR).
  float layer_norm_eps = 1e-12f;

  int depth() const { return static_cast<int>(num_heads.size()); }
  /// True when the network gives logits for each token rather than for the text.
  bool has_token_head() const {
    return head == TextHead::tokens || head == TextHead::question_answering;
  }

  /// Throws std::invalid_argument when a size makes no sense, naming it.
  void validate() const;
  bool operator==(const BertConfig&) const = default;
};

}  // namespace tokensieve
